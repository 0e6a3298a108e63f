// The built subpath os-ipc/redis, apart from the rest, which needs no other package.

export const { RedisLimit } = await import('../../redis.js')
