export const redisServers: readonly string[]
export function fetchRedisServer(name: string): string
