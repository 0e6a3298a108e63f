// Other users of the same Redis that break the rules of this package: the bare library, and code with odd arguments.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Redis as Client } from 'ioredis'
import { Semaphore as Bare } from 'redis-semaphore'
import test from 'ava'

import { RedisLimit } from '../../redis.js'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, redisServer, RedisServer } from './helpers/redis.ts'
import { redis } from './helpers/sources.ts'
import { requires } from '../shared/requires.ts'

/** The lease is so long that a tenth or a third of it cannot explain the result. */
const LEASE = 60_000

for (const given of [false, true]) {
  requires(redisServer).serial(
    `a permit is lost as soon as a server returns without it (${given ? 'a given client' : 'a connection of its own'})`,
    async t => {
      const { server, name, connect } = await redis(t)
      const client = new Client(server.url)
      client.on('error', () => {})
      t.teardown(() => client.disconnect())
      const jobs = given
        ? RedisLimit.over(client, name, { permits: 1, lease: LEASE })
        : connect({ lease: LEASE })
      t.teardown(() => jobs.close())
      const permit = await jobs.acquire({ timeout: PATIENCE })
      const aborted = once(permit.signal, 'abort')
      await server.kill()
      await server.forget()
      await server.start()
      const back = performance.now()
      // The bare library does not wait for a lease.
      const bare = new Bare(client, `os-ipc:${name}`, 1, { lockTimeout: LEASE })
      t.true(await bare.tryAcquire())
      t.teardown(() => bare.stopRefresh())
      await aborted
      const took = performance.now() - back
      t.true(took < LEASE / 6, `${took} ms`)
      t.regex(permit.signal.reason.message, /Redis does not have it any more/)
      await permit.release()
      await bare.release()
    },
  )
}

requires(redisServer).serial('the wait for a fresh server is announced once for all waits', async t => {
  const warnings: (Error & { code?: string })[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  t.teardown(() => process.off('warning', onWarning))
  const server = await RedisServer.start(t, { durable: false })
  const sources = Array.from({ length: 3 }, () =>
    RedisLimit.connect(server.url, uniqueName(t), { permits: 1, lease: 10_000 }),
  )
  for (const jobs of sources) await t.throwsAsync(jobs.tryAcquire(), { code: 'ERR_UNAVAILABLE' })
  await Promise.all(sources.map(jobs => jobs.use(() => 'in', { timeout: PATIENCE })))
  await sleep(10)
  t.deepEqual(
    warnings.map(({ code }) => code).filter(code => code?.startsWith('OS_IPC')),
    ['OS_IPC_REDIS_FRESH'],
  )
  await Promise.all(sources.map(jobs => jobs.close()))
})

requires(redisServer)('a client whose answers are not numbers is an error, and not NaN', async t => {
  const { server, name } = await redis(t)
  const client = new Client(server.url)
  t.teardown(() => client.disconnect())
  for (const answer of ['QUEUED', undefined, null, [], {}, Number.NaN]) {
    const odd = new Proxy(client, {
      get: (target, key) => {
        const value = Reflect.get(target, key)
        if (key === 'zcount') return async () => answer
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    const jobs = RedisLimit.over(odd, name, { permits: 1 })
    await t.throwsAsync(jobs.info(), { code: 'ERR_UNAVAILABLE', message: /ZCOUNT/ }, String(answer))
    await jobs.close()
  }
  const jobs = RedisLimit.over(client, name, { permits: 2 })
  t.like(await jobs.info(), { taken: 0, free: 2 })
  // A transaction that the owner of the client has begun queues all commands.
  await client.multi({ pipeline: false })
  await t.throwsAsync(jobs.info(), { code: 'ERR_UNAVAILABLE' })
  await client.discard()
  await jobs.close()
})

// ---- signals

test('a value that is not an AbortSignal is refused', async t => {
  const jobs = RedisLimit.connect('redis://127.0.0.1:1', '/jobs', { permits: 1 })
  for (const signal of [
    ...[null, 7, 'abort', {}, { aborted: false }, { aborted: false, addEventListener() {} }],
    ...[
      { aborted: false, addEventListener() {}, removeEventListener: true },
      { aborted: 'no', addEventListener() {}, removeEventListener() {} },
    ],
  ]) {
    for (const timeout of [undefined, 0, 50]) {
      const options = { signal, ...(timeout !== undefined && { timeout }) }
      await t.throwsAsync(jobs.acquire(options as never), {
        instanceOf: TypeError,
        code: 'ERR_INVALID_ARG_TYPE',
      })
    }
  }
  await jobs.close()
})

for (const method of ['addEventListener', 'removeEventListener'] as const) {
  requires(redisServer)(`a signal whose ${method} throws loses no permit`, async t => {
    const { connect } = await redis(t)
    const jobs = connect({ permits: 2, lease: LEASE })
    const held = [await jobs.acquire({ timeout: PATIENCE }), await jobs.acquire()]
    const { signal } = new AbortController()
    Object.defineProperty(signal, method, {
      value: () => {
        throw new Error('odd')
      },
    })
    const odd = [jobs.acquire({ signal }), jobs.acquire({ signal, timeout: 0 }), jobs.acquire({ signal })]
    const good = [jobs.acquire({ timeout: PATIENCE }), jobs.acquire({ timeout: PATIENCE })]
    for (const permit of held) await permit.release()
    const permits = await Promise.all(
      [...odd, ...good].map(wait => wait.then(permit => permit.release(), String)),
    )
    t.is(permits.slice(3).filter(outcome => outcome !== undefined).length, 0, String(permits))
    t.like(await jobs.info(), { taken: 0, held: 0, pending: 0 })
  })
}

requires(redisServer)('a signal whose reason throws ends its wait, and no other', async t => {
  const { connect } = await redis(t)
  const jobs = connect({ lease: LEASE })
  const held = await jobs.acquire({ timeout: PATIENCE })
  const controller = new AbortController()
  const odd = new Error('odd')
  Object.defineProperty(controller.signal, 'reason', {
    get: () => {
      throw odd
    },
  })
  const aborted = jobs.acquire({ signal: controller.signal })
  const good = jobs.acquire({ timeout: PATIENCE })
  controller.abort()
  t.is(await t.throwsAsync(aborted), odd)
  await held.release()
  await (await good).release()
  t.like(await jobs.info(), { taken: 0, held: 0, pending: 0 })
})

requires(redisServer)('closing with odd signals ends every wait', async t => {
  const { connect } = await redis(t)
  const jobs = connect({ lease: LEASE })
  const held = await jobs.acquire({ timeout: PATIENCE })
  const { signal } = new AbortController()
  Object.defineProperty(signal, 'removeEventListener', {
    value: () => {
      throw new Error('odd')
    },
  })
  const waits = [jobs.acquire({ signal }), jobs.acquire(), jobs.acquire({ signal })]
  const closed = jobs.close()
  for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  await held.release()
  await closed
})
