/** The part of an ioredis client that is used here: an instance of its `Redis` or `Cluster`, or of a similar class. */
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

/** Whether the value is a client at all. */
export function isRedisClient(value: unknown): value is RedisClient {
  if (typeof value !== 'object' || value === null) return false
  return METHODS.every(method => typeof (value as Record<string, unknown>)[method] === 'function')
}

/** The details of ioredis's own clients, which a similar client may lack. */
interface Details {
  readonly isCluster?: unknown
  readonly status?: unknown
  readonly options?: { readonly keyPrefix?: unknown; readonly sentinels?: unknown } | undefined
}

/** Whether the client finds another server by itself when its server fails. */
export function followsFailovers(client: RedisClient): boolean {
  const { isCluster, options } = client as Details
  return isCluster === true || Array.isArray(options?.sentinels)
}

/** The prefix that the client puts before every key. */
export function keyPrefixOf(client: RedisClient): string {
  const prefix = (client as Details).options?.keyPrefix
  return typeof prefix === 'string' ? prefix : ''
}

/** The state of its connection; `undefined` when the client does not tell it. */
export function statusOf(client: RedisClient): string | undefined {
  const { status } = client as Details
  return typeof status === 'string' ? status : undefined
}
