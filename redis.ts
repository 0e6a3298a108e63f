export type { RedisClient } from './lib/redis/client.js'
export type { RedisSemaphoreOptions } from './lib/redis/options.js'
export { RedisPermit } from './lib/redis/permit.js'
export { RedisSemaphore, type RedisSemaphoreInfo } from './lib/redis/semaphore.js'
