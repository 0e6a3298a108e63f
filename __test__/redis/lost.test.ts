// A permit on Redis is lost when its lease is over by the clock of this process: its signal aborts, and nothing else breaks.

import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Redis as Client } from 'ioredis'

import { IpcError } from '../../index.js'
import { RedisLimit } from '../../redis.js'
import { PATIENCE, redisServer } from './helpers/redis.ts'
import { redis } from './helpers/sources.ts'
import { requires } from '../shared/requires.ts'

const LEASE = 1_000

/** The lease of a permit that must not be lost before the test means it to be, on a busy machine too. */
const LONG = 10_000

/** The lease of the tests that block their thread until it is over; longer than a pause of a busy machine before that. */
const BLOCKED = 7_000

/** Blocks this thread: no timer runs, and nothing is received. Such a test runs alone, because it blocks the whole process. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

requires(redisServer)('a permit is kept for longer than its lease while Redis answers', async t => {
  const { connect } = await redis(t)
  const jobs = connect({ lease: LONG })
  const permit = await jobs.acquire()
  await sleep(LONG * 1.5)
  t.false(permit.signal.aborted)
  t.is(await connect({ lease: LONG }).tryAcquire(), null)
  await permit.release()
})

requires(redisServer).serial(
  'a thread that was blocked for longer than the lease finds its permit lost',
  async t => {
    const { connect } = await redis(t)
    const jobs = connect({ lease: BLOCKED })
    const permit = await jobs.acquire()
    const { signal } = permit
    t.false(signal.aborted)
    t.is(signal.reason, undefined)
    block(BLOCKED * 1.1)
    // No timer has run yet.
    t.true(signal.aborted)
    t.true(signal.reason instanceof IpcError)
    t.is(signal.reason.code, 'ERR_PERMIT_LOST')
    t.is(permit.signal, signal)
  },
)

for (const [what, look] of [
  ['reason', (signal: AbortSignal) => signal.reason?.code],
  ['throwIfAborted', thrownBy],
] as const) {
  requires(redisServer).serial(`a blocked thread finds its permit lost by ${what} too`, async t => {
    const { connect } = await redis(t)
    const { signal } = await connect({ lease: BLOCKED }).acquire()
    t.is(look(signal), undefined)
    block(BLOCKED * 1.1)
    t.is(look(signal), 'ERR_PERMIT_LOST')
  })
}

/** Resolves when it aborts; at once where this process had no processor for a lease, so that it has aborted. */
async function abortOf(signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await once(signal, 'abort')
}

function thrownBy(signal: AbortSignal): string | undefined {
  try {
    signal.throwIfAborted()
    return undefined
  } catch (error) {
    return (error as IpcError).code
  }
}

requires(redisServer).serial('a signal that is asked for after the loss is aborted', async t => {
  const { connect } = await redis(t)
  const permit = await connect({ lease: BLOCKED }).acquire()
  const warned = once(process, 'warning')
  block(BLOCKED * 1.1)
  // When no code reads the signal, the process gets a warning.
  const [warning] = (await warned) as [Error & { code: string }]
  t.is(warning.code, 'OS_IPC_PERMIT_LOST')
  t.true(permit.signal.aborted)
  t.is(permit.signal.reason.code, 'ERR_PERMIT_LOST')
})

for (const [what, take] of [
  ['stopped', 'pause'],
  ['gone', 'kill'],
] as const) {
  requires(redisServer)(`a permit is lost when Redis is ${what} for as long as its lease`, async t => {
    const { server, connect } = await redis(t)
    const jobs = connect({ lease: LEASE })
    const permit = await jobs.acquire()
    const aborted = abortOf(permit.signal)
    await server[take]()
    await aborted
    t.is(permit.signal.reason.code, 'ERR_PERMIT_LOST')
    // Its release is silent, and does not wait for Redis.
    await permit.release()
    t.true(permit.released)
    await jobs.close()
  })

  requires(redisServer)(
    `a permit that is released while Redis is ${what} is free after its lease`,
    async t => {
      const { server, connect } = await redis(t)
      const jobs = connect({ lease: LONG })
      const permit = await jobs.acquire()
      await server[take]()
      await permit.release()
      t.false(permit.signal.aborted)
      await (take === 'pause' ? server.resume() : server.start())
      const next = await jobs.acquire({ timeout: PATIENCE })
      t.false(next.signal.aborted)
      await next.release()
    },
  )

  requires(redisServer)(`a permit survives when Redis is ${what} for less than its lease`, async t => {
    const { server, connect } = await redis(t)
    const lease = 20_000
    const jobs = connect({ lease })
    const permit = await jobs.acquire()
    await sleep(1_000)
    await server[take]()
    await sleep(500)
    await (take === 'pause' ? server.resume() : server.start())
    await sleep(lease + 500)
    t.false(permit.signal.aborted)
    t.is((await jobs.info()).taken, 1)
    await permit.release()
  })
}

requires(redisServer)('a permit that another client removed is lost at the next refresh', async t => {
  const { server, connect } = await redis(t)
  const jobs = connect({ lease: LONG })
  const permit = await jobs.acquire()
  const client = new Client(server.url)
  t.teardown(() => client.disconnect())
  const aborted = abortOf(permit.signal)
  await client.flushall()
  await aborted
  t.regex(permit.signal.reason.message, /Redis does not have it any more/)
})

requires(redisServer)('a lost permit stays lost, even when a late refresh succeeds', async t => {
  const { server, connect } = await redis(t)
  const jobs = connect({ lease: LEASE })
  const permit = await jobs.acquire()
  server.pause()
  await abortOf(permit.signal)
  server.resume()
  // The late answer of Redis to the refresh may say that the entry exists.
  await sleep(LEASE)
  t.true(permit.signal.aborted)
  const next = await jobs.acquire({ timeout: PATIENCE })
  t.false(next.signal.aborted)
})

requires(redisServer)(
  'a Redis that lost its append-only file gives nothing until old leases are over',
  async t => {
    const { server, connect } = await redis(t)
    const permit = await connect({ lease: LONG }).acquire({ timeout: PATIENCE })
    const { signal } = permit
    await server.kill()
    await server.forget()
    await server.start()
    const other = connect({ lease: LONG })
    await t.throwsAsync(other.tryAcquire(), {
      code: 'ERR_UNAVAILABLE',
      message: /without an append-only file/,
    })
    const next = await other.acquire({ timeout: PATIENCE })
    t.true(signal.aborted)
    await next.release()
  },
)

requires(redisServer)('a Redis that forgets gives nothing until old leases are over', async t => {
  const { server, connect } = await redis(t, { durable: false })
  const jobs = connect({ lease: LONG })
  const permit = await jobs.acquire({ timeout: PATIENCE })
  const { signal } = permit
  await server.kill()
  await server.start()
  const other = connect({ lease: LONG })
  await t.throwsAsync(other.tryAcquire(), { code: 'ERR_UNAVAILABLE', message: /without an append-only file/ })
  const next = await other.acquire({ timeout: PATIENCE })
  t.true(signal.aborted)
  await next.release()
})

for (const [how, jump] of [
  ['forward', 60_000],
  ['back', -60_000],
] as const) {
  requires(redisServer).serial(`a clock that is set ${how} between two comparisons is detected`, async t => {
    const { connect } = await redis(t)
    const lease = 20_000
    const jobs = connect({ permits: 1, lease })
    const permit = await connect({ permits: 1, lease }).acquire()
    t.is(await jobs.tryAcquire(), null)
    const clock = Date.now
    t.teardown(() => {
      Date.now = clock
    })
    Date.now = () => clock() + jump
    // To a clock that is a minute ahead, the permits of other holders look expired.
    await t.throwsAsync(jobs.tryAcquire(), { code: 'ERR_CLOCK_SKEW' })
    Date.now = clock
    t.is(await jobs.tryAcquire(), null)
    t.false(permit.signal.aborted)
  })
}

requires(redisServer)('clocks are compared again where the answer took too long to tell', async t => {
  const { server, name } = await redis(t)
  const client = new Client(server.url)
  t.teardown(() => client.disconnect())
  const late: number[] = []
  let skew = 0
  const slow = changed(client, 'time', async () => {
    await sleep(late.shift() ?? 0)
    const [seconds, microseconds] = await client.time()
    return [Number(seconds), Number(microseconds) + skew * 1_000]
  })
  const open = () => {
    const jobs = RedisLimit.over(slow, name, { permits: 1, lease: 20_000 })
    t.teardown(() => jobs.close())
    return jobs
  }
  // The clocks may differ by 1 s.
  late.push(1_500, 1_500)
  t.is(await open().use(() => late.length), 0)
  // A late answer could hide a clock that is behind by that time; the next answer shows it.
  skew = -4_000
  late.push(4_500)
  await t.throwsAsync(open().tryAcquire(), { code: 'ERR_CLOCK_SKEW', message: /ahead of Redis's/ })
  skew = 0
  late.push(1_500, 1_500, 1_500)
  t.is(await open().use(() => 'far away'), 'far away')
})

/** A client with another function of this name. */
function changed(client: Client, name: string, fn: () => unknown): Client {
  return new Proxy(client, {
    get: (target, key) => {
      if (key === name) return fn
      const value = Reflect.get(target, key)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

requires(redisServer)(
  'a clock that differs too much from that of Redis is refused, and a held permit is lost',
  async t => {
    const { server, name } = await redis(t)
    const client = new Client(server.url)
    t.teardown(() => client.disconnect())
    let skew = 0
    const skewed = changed(client, 'time', async () => {
      const [seconds, microseconds] = await client.time()
      return [Number(seconds) + skew, microseconds]
    })
    const jobs = RedisLimit.over(skewed, name, { permits: 2, lease: LONG })
    t.teardown(() => jobs.close())
    const permit = await jobs.acquire()
    skew = 5
    await abortOf(permit.signal)
    t.is(permit.signal.reason.cause.code, 'ERR_CLOCK_SKEW')
    await t.throwsAsync(jobs.acquire(), { code: 'ERR_CLOCK_SKEW', message: /\d+ ms behind of Redis's/ })
    skew = -5
    await t.throwsAsync(jobs.tryAcquire(), { code: 'ERR_CLOCK_SKEW', message: /\d+ ms ahead of Redis's/ })
    skew = 0
    await (await jobs.acquire()).release()
  },
)
