export type { RedisClient } from './lib/redis/client.js'
export type { RedisLimitOptions } from './lib/redis/options.js'
export { RedisPermit } from './lib/redis/permit.js'
export { RedisLimit, type RedisLimitInfo } from './lib/redis/limit.js'
