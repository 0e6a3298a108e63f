// Permits on Redis beyond the common suite: connections, their ends, and a missing Redis.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

import { Cluster, Redis as Client, type RedisOptions } from 'ioredis'
import test, { type ExecutionContext } from 'ava'

import { IpcError } from '../../index.js'
import { type RedisClient, RedisPermit, RedisLimit } from '../../redis.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, redisServer } from './helpers/redis.ts'
import { type Redis, redis } from './helpers/sources.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

/** A port that no process listens on. */
const NOBODY = 'redis://127.0.0.1:1'

function client(t: ExecutionContext, url: string, options: Pick<RedisOptions, 'keyPrefix'> = {}): Client {
  const made = new Client(url, options)
  made.on('error', () => {})
  t.teardown(() => made.disconnect())
  return made
}

/** A source with defaults of ioredis: an offline queue, and 20 tries for each command. */
function over(t: ExecutionContext, { server, name }: Redis, lease = 2_000): RedisLimit {
  const source = RedisLimit.over(client(t, server.url), name, { permits: 1, lease })
  t.teardown(() => source.close())
  return source
}

// ---- names and options

test('a name has the same rules as the name of a limit on one machine', async t => {
  const named = (name: string) => RedisLimit.connect(NOBODY, name, { permits: 1 })
  t.is(named('jobs').name, '/jobs')
  t.is(named('/jobs').name, '/jobs')
  t.is(named('日本').name, '/日本')
  t.is(named('a'.repeat(250)).name.length, 251)
  for (const name of ['', '/', 'a/b', '//a', '..', 'a\0b', 'a'.repeat(251), '\ud800']) {
    t.throws(() => named(name), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' }, name)
  }
  t.throws(() => named(7 as never), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
})

test('options are checked before anything is sent', t => {
  const made = (options: unknown) => () => RedisLimit.connect(NOBODY, 'jobs', options as never)
  t.like(made({ permits: 4 })(), { permits: 4, lease: 10_000 })
  t.like(made({ permits: 4, lease: 300, poll: 0.5 + 0.5 })(), { lease: 300 })
  for (const options of [
    undefined,
    {},
    { permits: '4' },
    { permits: 1, lease: '9' },
    { permits: 1, poll: '9' },
  ]) {
    t.throws(made(options), { code: 'ERR_INVALID_ARG_TYPE' }, JSON.stringify(options))
  }
  for (const options of [
    ...[{ permits: 0 }, { permits: 1.5 }, { permits: 2_000_000 }],
    ...[
      { permits: 1, lease: 299 },
      { permits: 1, lease: Number.NaN },
      { permits: 1, poll: 0 },
    ],
  ]) {
    t.throws(made(options), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' }, JSON.stringify(options))
  }
  t.throws(() => RedisLimit.connect(7 as never, 'jobs', { permits: 1 }), { code: 'ERR_INVALID_ARG_TYPE' })
  for (const url of ['', 'not a url', 'redis://[']) {
    t.throws(() => RedisLimit.connect(url, 'jobs', { permits: 1 }), { code: 'ERR_INVALID_ARG_VALUE' })
  }
  for (const wrong of [undefined, null, 'redis://', {}, { eval() {} }]) {
    t.throws(() => RedisLimit.over(wrong as never, 'jobs', { permits: 1 }), {
      code: 'ERR_INVALID_ARG_TYPE',
    })
  }
  t.throws(() => Reflect.construct(RedisLimit, []), { code: 'ERR_ILLEGAL_CONSTRUCTOR' })
})

// ---- the keys in Redis

requires(redisServer)('a permit is an entry of a sorted set that expires by itself', async t => {
  const { server, name, connect } = await redis(t)
  const jobs = connect({ permits: 3, lease: 30_000 })
  const permit = await jobs.acquire()
  t.true(permit instanceof RedisPermit)
  const key = `semaphore:os-ipc:${name}`
  t.deepEqual(await jobs.info(), { name, key, permits: 3, taken: 1, free: 2, held: 1, pending: 0 })
  const watch = client(t, server.url)
  t.is(await watch.zcard(key), 1)
  const left = await watch.pttl(key)
  t.true(left > 0 && left <= 30_000, `${left}`)
  await permit.release()
  t.is(await watch.exists(key), 0)
})

requires(redisServer)('many waits of one object ask Redis together, and are served in order', async t => {
  const { server, connect } = await redis(t)
  const jobs = connect({ poll: 20, lease: 30_000 })
  const held = await jobs.acquire()
  const order: number[] = []
  const waits = Array.from({ length: 500 }, async (_, index) => {
    const permit = await jobs.acquire({ timeout: PATIENCE })
    order.push(index)
    await permit.release()
  })
  const watch = client(t, server.url)
  const before = await evaluations(watch)
  await sleep(500)
  const asked = (await evaluations(watch)) - before
  // About 25 questions; separate questions of every wait would be 12,500.
  t.true(asked < 150, `${asked} questions`)
  await until('it asks', async () => (await evaluations(watch)) > before)
  await held.release()
  await Promise.all(waits)
  t.deepEqual(
    order,
    order.toSorted((a, b) => a - b),
  )
})

async function evaluations(watch: Client): Promise<number> {
  const stats = await watch.info('commandstats')
  return Number(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1] ?? 0)
}

requires(redisServer)('many calls at once all succeed', async t => {
  const { connect } = await redis(t)
  const jobs = connect({ permits: 50, lease: 30_000 })
  const warnings: Error[] = []
  const onWarning = (warning: Error) => warnings.push(warning)
  process.on('warning', onWarning)
  const permits = await Promise.all(Array.from({ length: 200 }, () => jobs.tryAcquire()))
  t.is(permits.filter(permit => permit !== null).length, 50)
  await sleep(10)
  process.off('warning', onWarning)
  t.deepEqual(
    warnings.filter(({ name }) => name === 'MaxListenersExceededWarning'),
    [],
  )
  await Promise.all(permits.map(permit => permit?.release()))
  t.is((await jobs.info()).taken, 0)
})

// ---- connections

requires(redisServer)('close ends its own connection, after the last permit', async t => {
  const { server, connect } = await redis(t)
  const watch = client(t, server.url)
  const connections = async () => ((await watch.client('LIST')) as string).trim().split('\n').length
  const alone = await connections()
  const jobs = connect({ permits: 2, lease: 10_000 })
  t.is(await connections(), alone)
  const [first, second] = [await jobs.acquire(), await jobs.acquire()]
  t.is(await connections(), alone + 1)
  await jobs.close()
  // A closed source still refreshes its permits.
  await sleep(15_000)
  t.false(first.signal.aborted)
  t.is(await connections(), alone + 1)
  await first.release()
  t.is(await connections(), alone + 1)
  await second.release()
  await jobs.close()
  await until('its connection is gone', async () => (await connections()) === alone)
})

requires(redisServer)('close leaves a given client open and unchanged', async t => {
  const { server, name } = await redis(t)
  const given = client(t, server.url)
  const listeners = () => given.eventNames().map(event => [event, given.listenerCount(event)])
  await given.ping()
  const before = listeners()
  const { ...options } = given.options
  for (let round = 0; round < 3; round += 1) {
    const jobs = RedisLimit.over(given, name, { permits: 1 })
    await jobs.use(() => 'work')
    await jobs.close()
  }
  const many = Array.from({ length: 20 }, () => RedisLimit.over(given, name, { permits: 1 }))
  // More than ten listeners would bring a warning.
  t.is(given.listenerCount('ready'), 1)
  await Promise.all(many.map(jobs => jobs.close()))
  t.deepEqual(listeners(), before)
  t.deepEqual({ ...given.options }, options)
  t.is(given.status, 'ready')
  t.is(await given.ping(), 'PONG')
})

requires(redisServer)('a password that is wrong or missing is refused at once', async t => {
  const { server, name } = await redis(t, { password: 'right' })
  const at = (url: string) => RedisLimit.connect(url, name, { permits: 1 })
  for (const url of [server.url, server.url.replace('//', '//:wrong@')]) {
    const jobs = at(url)
    await t.throwsAsync(jobs.acquire(), {
      instanceOf: IpcError,
      code: 'ERR_REFUSED',
      message: /NOAUTH|WRONGPASS/,
    })
    await t.throwsAsync(jobs.tryAcquire(), { instanceOf: IpcError, code: 'ERR_REFUSED' })
    await t.throwsAsync(jobs.info(), { instanceOf: IpcError, code: 'ERR_REFUSED' })
    await jobs.close()
  }
  const jobs = at(server.url.replace('//', '//:right@'))
  t.is(await jobs.use(() => 'in'), 'in')
  await jobs.close()
})

requires(redisServer)('a database that Redis does not have is refused, and no other one is used', async t => {
  const { server, name } = await redis(t)
  const jobs = RedisLimit.connect(`${server.url}/99`, name, { permits: 1 })
  for (const call of [() => jobs.acquire(), () => jobs.tryAcquire(), () => jobs.info()]) {
    await t.throwsAsync(call, { instanceOf: IpcError, code: 'ERR_REFUSED', message: /DB index/ })
  }
  await jobs.close()
  const third = RedisLimit.connect(`${server.url}/3`, name, { permits: 1 })
  const permit = await third.acquire()
  t.regex(await client(t, server.url).info('keyspace'), /^db3:keys=1/m)
  await permit.release()
  await third.close()
})

requires(redisServer)('a user of Redis without the right for a command gets an error at once', async t => {
  const { server, name, connect } = await redis(t)
  const watch = client(t, server.url)
  await watch.set(`semaphore:os-ipc:${name}`, 'something else')
  const jobs = connect()
  await t.throwsAsync(jobs.acquire(), { instanceOf: IpcError, code: 'ERR_REFUSED', message: /WRONGTYPE/ })
})

requires(redisServer)(
  'a user who may not read the clock and the memory of Redis still gets permits',
  async t => {
    const { server, name } = await redis(t)
    const watch = client(t, server.url)
    await watch.call('ACL', 'SETUSER', 'little', 'on', '>secret', '~*', '+@all', '-info', '-time')
    const url = server.url.replace('//', '//little:secret@')
    const jobs = RedisLimit.connect(url, name, { permits: 1 })
    t.is(await jobs.use(() => 'in'), 'in')
    await jobs.close()
  },
)

// ---- a missing Redis

// Runs alone, because a refused connection can take longer while the servers of other tests start.
test.serial('without Redis a wait lasts until its timeout, and the error has the reason', async t => {
  const jobs = RedisLimit.connect(NOBODY, uniqueName(t), { permits: 1 })
  const error = await t.throwsAsync(jobs.acquire({ timeout: 8_000 }), {
    instanceOf: IpcError,
    code: 'ETIMEDOUT',
  })
  t.regex((error as IpcError).hint ?? '', /ECONNREFUSED/)
  t.regex(String((error as IpcError).cause), /ECONNREFUSED/)
  await jobs.close()
})

test.serial('the pauses grow for many failing waits as for one', async t => {
  /** The milliseconds from the first try to the fourth. */
  const measured = async () => {
    const tries: number[] = []
    const server = createServer(socket => {
      tries.push(performance.now())
      socket.destroy()
    }).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const url = `redis://127.0.0.1:${(server.address() as AddressInfo).port}`
    const jobs = RedisLimit.connect(url, uniqueName(t), { permits: 1 })
    const waits = Array.from({ length: 30 }, () => jobs.acquire({ timeout: PATIENCE }))
    const outcomes = Promise.allSettled(waits)
    while (tries.length < 4) await once(server, 'connection')
    await jobs.close()
    for (const { status } of await outcomes) t.is(status, 'rejected')
    return Number(tries[3]) - Number(tries[0])
  }
  // After 25, 50 and 100 ms; with the longest pause after the first it would be two seconds.
  let took = await measured()
  // A busy machine may be late at one turn, but not at each.
  for (let turn = 0; took >= 1_400 && turn < 8; turn += 1) took = await measured()
  t.true(took < 1_400, `${took} ms`)
})

test('without Redis a call that does not wait rejects with ERR_UNAVAILABLE, and abort and close work', async t => {
  const jobs = RedisLimit.connect(NOBODY, uniqueName(t), { permits: 1 })
  for (const call of [() => jobs.tryAcquire(), () => jobs.info(), () => jobs.acquire({ timeout: 0 })]) {
    await t.throwsAsync(call, { instanceOf: IpcError, code: 'ERR_UNAVAILABLE', message: /ECONNREFUSED/ })
  }
  const controller = new AbortController()
  const aborted = jobs.acquire({ signal: controller.signal })
  const waiting = jobs.acquire()
  await sleep(100)
  const reason = new Error('enough')
  controller.abort(reason)
  t.is(await t.throwsAsync(aborted), reason)
  const closed = jobs.close()
  await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
  await closed
})

requires(redisServer)(
  'a closed source stops trying to give back a permit that it cannot give back',
  async t => {
    const { server, connect } = await redis(t)
    const warnings: Error[] = []
    const onWarning = (warning: Error) => warnings.push(warning)
    process.on('warning', onWarning)
    t.teardown(() => process.off('warning', onWarning))
    const jobs = connect({ lease: 30_000 })
    const permit = await jobs.acquire()
    await server.kill()
    await permit.release()
    await jobs.close()
    // Each try would add listeners to the broken connection, and more than ten bring a warning.
    await sleep(2_500)
    t.deepEqual(
      warnings.filter(({ name }) => name === 'MaxListenersExceededWarning'),
      [],
    )
  },
)

for (const [kind, open] of [
  ['a connection of its own', (_: ExecutionContext, { connect }: Redis) => connect()],
  ['a given client', over],
] as const) {
  requires(redisServer)(`a wait that began before Redis started gets its permit (${kind})`, async t => {
    const setting = await redis(t)
    await setting.server.kill()
    const jobs = open(t, setting)
    const waiting = jobs.acquire({ timeout: PATIENCE })
    await sleep(300)
    await setting.server.start()
    const permit = await waiting
    t.false(permit.signal.aborted)
    await permit.release()
  })

  requires(redisServer)(`a Redis that does not answer makes nothing hang (${kind})`, async t => {
    const setting = await redis(t)
    const jobs = open(t, setting)
    await jobs.use(() => 'connected')
    setting.server.pause()
    const controller = new AbortController()
    const [tried, asked] = [jobs.tryAcquire(), jobs.info()]
    const aborted = jobs.acquire({ signal: controller.signal })
    const waiting = jobs.acquire()
    await t.throwsAsync(jobs.acquire({ timeout: 50 }), { code: 'ETIMEDOUT' })
    controller.abort()
    await t.throwsAsync(aborted, { name: 'AbortError' })
    await t.throwsAsync(tried, { code: 'ERR_UNAVAILABLE' })
    await t.throwsAsync(asked, { code: 'ERR_UNAVAILABLE' })
    const closed = jobs.close()
    await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
    await closed
    setting.server.resume()
  })

  requires(redisServer)(`a permit that arrives after its wait ended goes back (${kind})`, async t => {
    const setting = await redis(t)
    // The lease is so long that its end cannot be what gives the permit back.
    const jobs = kind === 'a given client' ? over(t, setting, 60_000) : setting.connect({ lease: 60_000 })
    await jobs.use(() => 'connected')
    setting.server.pause()
    await t.throwsAsync(jobs.acquire({ timeout: 50 }), { code: 'ETIMEDOUT' })
    const tried = jobs.acquire({ timeout: 0, signal: AbortSignal.timeout(50) })
    await t.throwsAsync(tried, { name: 'TimeoutError' })
    setting.server.resume()
    const other = setting.connect({ lease: 60_000 })
    let taken = 2
    for (const deadline = performance.now() + PATIENCE; taken > 0 && performance.now() < deadline; ) {
      await sleep(20)
      taken = (await other.info()).taken
    }
    t.is(taken, 0)
    t.is((await jobs.info()).held, 0)
  })
}

// ---- the end of a process

for (const [how, said] of [
  ['opens', ''],
  ['asks', '0\n'],
  ['holds', '"held"\n'],
  ['disposes', ''],
  ['releases while it reconnects', '"released"\n'],
  ['disposes while it reconnects', ''],
] as const) {
  requires(redisServer)(`a process that only ${how} ends by itself`, async t => {
    const { server, name, connect } = await redis(t)
    const process = child(t, 'redis/end.ts', { args: [server.url, name, how] })
    t.like(await process.exit, { code: 0, stdout: said, stderr: '' })
    // The disposed permit came back before the process ended.
    const { taken } = await connect({ lease: 30_000 }).info()
    t.is(taken, how === 'holds' ? 1 : 0)
  })
}

test('a process without Redis ends by itself', async t => {
  for (const [how, said] of [
    ['opens', ''],
    ['gives up', '"ETIMEDOUT"\n'],
  ] as const) {
    const process = child(t, 'redis/end.ts', { args: [NOBODY, uniqueName(t), how] })
    t.like(await process.exit, { code: 0, stdout: said, stderr: '' })
  }
})

requires(redisServer)('a process that waits lives until its permit comes', async t => {
  const { server, name, connect } = await redis(t)
  const permit = await connect({ lease: 30_000 }).acquire()
  const waiting = child(t, 'redis/end.ts', { args: [server.url, name, 'waits'] })
  t.is(await waiting.next(), 'waiting')
  await sleep(500)
  await permit.release()
  t.is(await waiting.next(), 'came')
  t.like(await waiting.exit, { code: 0, stderr: '' })
})

// ---- clients of other kinds

requires(redisServer)('a client with a prefix for its keys works as well', async t => {
  const { server, name } = await redis(t)
  const given: RedisClient = client(t, server.url, { keyPrefix: 'ours:' })
  const jobs = RedisLimit.over(given, name, { permits: 1 })
  const permit = await jobs.acquire()
  t.is(await client(t, server.url).zcard(`ours:semaphore:os-ipc:${name}`), 1)
  t.is((await jobs.info()).taken, 1)
  await permit.release()
  await jobs.close()
})

requires(redisServer)('a client of a Cluster works as well', async t => {
  const { server, name } = await redis(t, { cluster: true })
  const node = client(t, server.url)
  await node.call('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)
  const given = new Cluster([{ host: '127.0.0.1', port: server.port }])
  given.on('error', () => {}) // until all slots are there
  t.teardown(() => given.disconnect())
  const jobs = RedisLimit.over(given, name, { permits: 1 })
  const permit = await jobs.acquire({ timeout: PATIENCE })
  t.is(await jobs.tryAcquire(), null)
  t.is((await jobs.info()).taken, 1)
  await permit.release()
  await jobs.close()
})

requires(redisServer)('a client that reconnects by itself while a permit is held keeps it', async t => {
  const setting = await redis(t)
  const given = client(t, setting.server.url)
  const lease = 20_000
  const jobs = RedisLimit.over(given, setting.name, { permits: 1, lease })
  const permit = await jobs.acquire()
  const ready = once(given, 'ready')
  await setting.server.kill()
  await setting.server.start()
  await ready
  await sleep(lease + 500)
  t.false(permit.signal.aborted)
  await permit.release()
  await jobs.close()
})
