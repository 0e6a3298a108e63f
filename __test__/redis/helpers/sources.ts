import type { ExecutionContext } from 'ava'

import { RedisLimit, type RedisLimitOptions } from '../../../redis.js'
import { uniqueName } from '../../shared/names.ts'
import { RedisServer, type RedisServerOptions } from './redis.ts'

/** A server, and functions that open sources on it; everything is closed when the test ends. */
export interface Redis {
  readonly server: RedisServer
  readonly name: string
  connect(options?: Partial<RedisLimitOptions>): RedisLimit
}

/** Starts a server for a test. */
export async function redis(t: ExecutionContext, options?: RedisServerOptions): Promise<Redis> {
  const server = await RedisServer.start(t, options)
  const name = uniqueName(t)
  return {
    server,
    name,
    connect: more => {
      const source = RedisLimit.connect(server.url, name, { permits: 1, lease: 2_000, ...more })
      t.teardown(() => source.close())
      return source
    },
  }
}
