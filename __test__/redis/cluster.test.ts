// Permits on a Redis Cluster, whose keys go from one server to another: never two holders, whatever happens to the servers.

import { setTimeout as sleep } from 'node:timers/promises'

import { Cluster as ClusterClient } from 'ioredis'
import type { ExecutionContext } from 'ava'

import { IpcError } from '../../index.js'
import { noteKey } from '../../.cache/built/lib/redis/owner.js'
import { type RedisPermit, RedisLimit } from '../../redis.js'
import { PATIENCE, redisServer } from './helpers/redis.ts'
import { RedisCluster } from './helpers/cluster.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const LEASE = 2_000

/** A Cluster whose masters run longer than a lease, so that no wait depends on their start. */
async function settled(t: ExecutionContext, durable = false, lease = LEASE): Promise<RedisCluster> {
  const cluster = await RedisCluster.start(t, { durable })
  const first = cluster.open({ lease })
  await (await first.acquire({ timeout: PATIENCE })).release()
  return cluster
}

/** All sources ask until one has the permit; by then the old holder must know that its permit is lost. */
async function noTwoHolders(t: ExecutionContext, held: RedisPermit, others: readonly RedisLimit[]) {
  const { signal } = held
  const permits = others.map(async jobs => {
    const permit = await jobs.acquire({ timeout: PATIENCE })
    t.true(signal.aborted, 'two holders have the permit')
    await permit.release()
  })
  await Promise.all(permits)
}

for (const durable of [false, true]) {
  const what = durable ? 'its file is lost' : 'it writes no file'
  requires(redisServer).serial(
    `a master of a Cluster that is killed and comes back empty gives nothing for a lease (${what})`,
    async t => {
      // Longer than the change takes: the holder does not lose its permit by that.
      const lease = 12_000
      const cluster = await settled(t, durable, lease)
      const other = cluster.open({ lease })
      t.is((await other.info()).taken, 0)
      const held = await cluster.open({ lease }).acquire({ timeout: PATIENCE })
      t.false(held.signal.aborted)
      const { server } = await cluster.owner()
      await server.kill()
      await server.forget()
      await server.start()
      const fresh = Array.from({ length: 6 }, () => cluster.open({ lease }))
      const early = [...fresh, other].map(jobs => jobs.tryAcquire().catch((error: IpcError) => error.code))
      for (const outcome of await Promise.all(early)) t.is(outcome, 'ERR_UNAVAILABLE')
      await noTwoHolders(t, held, [other, ...fresh])
    },
  )
}

for (const [what, noted] of [
  ['', true],
  [' and has never heard of the name', false],
] as const) {
  requires(redisServer).serial(
    `a replica of a Cluster that lacks the last permit${what} gives nothing for a lease`,
    async t => {
      const cluster = await settled(t)
      const owner = await cluster.owner()
      const replica = await cluster.replica(owner)
      // Longer than the change takes: the holder does not lose its permit by that.
      const lease = 20_000
      const other = cluster.open({ lease })
      const held = await cluster.open({ lease }).acquire({ timeout: PATIENCE })
      t.is(await other.tryAcquire(), null)
      await owner.server.kill()
      await replica.client.call('CLUSTER', 'FAILOVER', 'TAKEOVER')
      // Deletes the key, as if it had not arrived.
      await until('the replica is the master', async () => (await replica.client.del(cluster.key)) >= 0)
      if (!noted) await replica.client.del(String(noteKey('', cluster.key)))
      t.false(held.signal.aborted)
      const fresh = [cluster.open({ lease }), cluster.open({ lease })]
      for (const jobs of [...fresh, other]) {
        const early = await jobs.tryAcquire().catch((error: IpcError) => error.code)
        t.is(early, 'ERR_UNAVAILABLE')
      }
      await noTwoHolders(t, held, [other, ...fresh])
    },
  )
}

requires(redisServer).serial('a permit that the promoted replica has is kept', async t => {
  const cluster = await settled(t)
  const owner = await cluster.owner()
  const replica = await cluster.replica(owner)
  const lease = 20_000
  const held = await cluster.open({ lease }).acquire({ timeout: PATIENCE })
  await until('the replica has it', async () => {
    await replica.client.readonly()
    return (await replica.client.zcard(cluster.key)) === 1
  })
  await replica.client.call('CLUSTER', 'FAILOVER')
  await until(
    'the replica is the master',
    async () => /role:master/.test(await replica.client.info('replication')),
    PATIENCE,
  )
  await sleep(lease + 500)
  t.false(held.signal.aborted)
  await held.release()
})

requires(redisServer).serial('a slot that moves to another master takes its permits along', async t => {
  // Longer than a move takes, on a busy machine too: the holder does not lose its permit by that.
  const lease = 20_000
  const cluster = await settled(t)
  const [owner, target, slot] = [await cluster.owner(), await cluster.another(), await cluster.slot()]
  const held = await cluster.open({ lease }).acquire({ timeout: PATIENCE })
  const other = cluster.open({ lease })
  t.is(await other.tryAcquire(), null)
  await target.client.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', owner.id)
  await owner.client.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', target.id)
  // The keys move one after the other, so a script that needs both gets TRYAGAIN.
  const keys = (await owner.client.cluster('GETKEYSINSLOT', slot, 10)) as string[]
  t.deepEqual([...keys].sort(), [cluster.key, noteKey('', cluster.key)].sort())
  for (const key of keys) {
    await owner.client.call('MIGRATE', '127.0.0.1', target.server.port, key, 0, 5_000)
    await other.tryAcquire().then(
      permit => t.is(permit, null),
      error => t.is((error as IpcError).code, 'ERR_UNAVAILABLE'),
    )
  }
  for (const { client } of [target, owner]) await client.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id)
  // Waits for longer than a lease: the permit is refreshed at the new master.
  const end = performance.now() + 1.2 * lease
  while (performance.now() < end) {
    for (const jobs of [other, cluster.open({ lease })]) {
      const permit = await jobs.tryAcquire().catch(() => null)
      t.is(permit, null)
    }
    await sleep(100)
  }
  t.false(held.signal.aborted)
  await held.release()
  const next = await other.acquire({ timeout: PATIENCE })
  t.false(next.signal.aborted)
  await next.release()
})

requires(redisServer).serial(
  'a slot that another master takes without its keys gives nothing for a lease',
  async t => {
    // Longer than the change takes: the holder does not lose its permit by that.
    const lease = 12_000
    const cluster = await settled(t, false, lease)
    const [owner, target, slot] = [await cluster.owner(), await cluster.another(), await cluster.slot()]
    const other = cluster.open({ lease })
    t.is((await other.info()).taken, 0)
    const held = await cluster.open({ lease }).acquire({ timeout: PATIENCE })
    t.is(await other.tryAcquire(), null)
    await owner.server.kill()
    for (const node of cluster.masters) {
      if (node !== owner) await node.client.call('CLUSTER', 'SETSLOT', slot, 'NODE', target.id)
    }
    await noTwoHolders(t, held, [other])
  },
)

requires(redisServer).serial('a Cluster that never becomes ready is the reason of a timeout', async t => {
  const client = new ClusterClient([{ host: '127.0.0.1', port: 1 }], { clusterRetryStrategy: () => 100 })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  const jobs = RedisLimit.over(client, '/never', { permits: 1, lease: LEASE })
  t.teardown(() => jobs.close())
  const error = await t.throwsAsync(jobs.acquire({ timeout: 6_000 }), {
    instanceOf: IpcError,
    code: 'ETIMEDOUT',
  })
  t.regex((error as IpcError).hint ?? '', /no connection to Redis for \d+ ms .*closed/)
  t.true((error as IpcError).cause instanceof Error)
})

requires(redisServer)('the key of the server’s note is in the same slot as the permits', t => {
  for (const [prefix, key, note] of [
    ['', 'semaphore:os-ipc:/a', 'semaphore:os-ipc:{semaphore:os-ipc:/a}:server'],
    ['p:', 'semaphore:os-ipc:/a', 'semaphore:os-ipc:{p:semaphore:os-ipc:/a}:server'],
    ['{p}', 'semaphore:os-ipc:/a', 'semaphore:os-ipc:{p}:server'],
    ['', 'semaphore:os-ipc:/a{b}c', 'semaphore:os-ipc:{b}:server'],
    ['', 'semaphore:os-ipc:/a}b', undefined],
  ] as const) {
    t.is(noteKey(prefix, key), note, prefix + key)
  }
})
