/** What is used of an ioredis client: an instance of its `Redis` or `Cluster`, or of a class that is made like them. */
export interface RedisClient {
  eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  evalsha(sha1: string, keys: number, ...args: (string | number)[]): Promise<unknown>
  zrem(key: string, member: string): Promise<unknown>
  zcount(key: string, least: number | string, most: number | string): Promise<unknown>
  time(): Promise<unknown>
  info(section: string): Promise<unknown>
  on(event: 'ready', listener: () => void): unknown
  off(event: 'ready', listener: () => void): unknown
}

const METHODS = ['eval', 'evalsha', 'zrem', 'zcount', 'time', 'info', 'on', 'off'] as const

/** Is it a client at all? */
export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  return METHODS.every(method => typeof (value as Record<string, unknown>)[method] === 'function')
}
