// The subpath os-ipc/redis as its users get it: apart from the rest, which needs no package besides.

export const { RedisLimit } = await import('../../redis.js')
