// Permits behind a real Sentinel, which makes a replica the master.

import { Redis as Client } from 'ioredis'

import type { IpcError } from '../../index.js'
import { RedisLimit } from '../../redis.js'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, redisServer, RedisServer } from './helpers/redis.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

/** Longer than a failover takes: the holder does not lose its permit by that. */
const LEASE = 20_000

requires(redisServer).serial(
  'a replica that Sentinel promotes and that lacks the last permit gives nothing for a lease',
  async t => {
    const master = await RedisServer.start(t, { durable: false })
    const replica = await RedisServer.start(t, {
      durable: false,
      settings: { replicaof: `127.0.0.1 ${master.port}` },
    })
    const sentinel = await RedisServer.startSentinel(t, master)
    const direct = (server: RedisServer) => {
      const client = new Client(server.url, { retryStrategy: () => 100 })
      client.on('error', () => {})
      t.teardown(() => client.disconnect())
      return client
    }
    const watch = direct(replica)
    await until(
      'the replica has a master',
      async () => /master_link_status:up/.test(await watch.info('replication')),
      PATIENCE,
    )
    const eye = direct(sentinel)
    await until(
      'Sentinel knows the replica',
      async () => ((await eye.call('SENTINEL', 'replicas', 'ours')) as unknown[]).length === 1,
      PATIENCE,
    )
    const name = uniqueName(t)
    const open = () => {
      const client = new Client({
        sentinels: [{ host: '127.0.0.1', port: sentinel.port }],
        name: 'ours',
        sentinelRetryStrategy: () => 100,
        retryStrategy: () => 100,
      })
      client.on('error', () => {})
      t.teardown(() => client.disconnect())
      const jobs = RedisLimit.over(client, name, { permits: 1, lease: LEASE })
      t.teardown(() => jobs.close())
      return jobs
    }
    const other = open()
    await (await other.acquire({ timeout: PATIENCE })).release()
    const { signal } = await open().acquire({ timeout: PATIENCE })
    t.false(signal.aborted)
    await master.kill()
    await until(
      'the replica is the master',
      async () => {
        // Deletes the entry, as if it had not arrived.
        if (!/role:master/.test(await watch.info('replication'))) return false
        await watch.del(`semaphore:os-ipc:${name}`)
        return true
      },
      PATIENCE,
    )
    const fresh = open()
    const early = await fresh.tryAcquire().catch((error: IpcError) => error.code)
    t.is(early, 'ERR_UNAVAILABLE')
    const waits = [other, fresh, open()].map(async jobs => {
      const permit = await jobs.acquire({ timeout: PATIENCE })
      t.true(signal.aborted, 'two holders have the permit')
      await permit.release()
    })
    await Promise.all(waits)
  },
)
