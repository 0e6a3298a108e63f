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

/** What is looked at of a client that is ioredis's own, and that one which is made like it may lack. */
interface Details {
  readonly isCluster?: unknown
  readonly status?: unknown
  readonly options?: { readonly keyPrefix?: unknown; readonly sentinels?: unknown } | undefined
}

/** Does it find another server by itself when the one it asks fails? */
export function followsFailovers(client: RedisClient): boolean {
  const { isCluster, options } = client as Details
  return isCluster === true || Array.isArray(options?.sentinels)
}

/** What it puts before every key. */
export function keyPrefixOf(client: RedisClient): string {
  const prefix = (client as Details).options?.keyPrefix
  return typeof prefix === 'string' ? prefix : ''
}

/** Where it is on the way to a connection; `undefined` when it does not say. */
export function statusOf(client: RedisClient): string | undefined {
  const { status } = client as Details
  return typeof status === 'string' ? status : undefined
}
