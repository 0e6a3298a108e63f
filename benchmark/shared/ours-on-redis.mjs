// The built subpath os-ipc/redis, apart from the rest, which needs no other package.

export const { RedisSemaphore } = await import('../../redis.js')
