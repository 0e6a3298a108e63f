// The connections of locks on PostgreSQL: their sources, their number, and what they leave behind.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'
import pg from 'pg'

import { PostgresLocks, type PostgresLocksOptions, type PostgresSource } from '../../postgres.js'
import { child } from '../shared/child.ts'
import { hold } from '../lock/helpers/hold.ts'
import { postgresKeyOf, postgresServer, PostgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const server = PostgresServer.forAll(test)

const declare = requires(postgresServer).serial

// The server may need a moment to end the sessions of the test before.
test.beforeEach(() => until('no session is left', async () => (await server.sessions()) === 0))

function connect(t: ExecutionContext, options?: PostgresLocksOptions, source?: PostgresSource) {
  const locks = PostgresLocks.connect(source ?? server.url, options)
  t.teardown(() => locks.close())
  return locks
}

declare('one connection holds any number of locks that were free', async t => {
  const locks = connect(t, { maxConnections: 2 })
  const releases = await Promise.all(Array.from({ length: 50 }, (_, index) => hold(locks, `free-${index}`)))
  t.is(await server.sessions(), 1)
  t.is((await locks.query()).held.length, 50)
  await Promise.all(releases.map(release => release()))
  t.is((await locks.query()).held.length, 0)
})

declare('each wait has its own connection up to the limit, and further waits stand in line', async t => {
  const holder = connect(t)
  const waiter = connect(t, { maxConnections: 3 })
  const names = Array.from({ length: 8 }, (_, index) => `line-${index}`)
  const releases = await Promise.all(names.map(name => hold(holder, name)))
  const granted: string[] = []
  const waiting = names.map(name => waiter.request(name, () => void granted.push(name)))
  await until('two sessions wait on the server', async () => (await holder.query()).pending.length === 2)
  t.is(await server.sessions(), 1 + 3)
  // A lock for which a request waits in line is also granted when it is free.
  await releases[7]?.()
  await waiting[7]
  t.deepEqual(granted, ['line-7'])
  await Promise.all(releases.slice(0, 7).map(release => release()))
  await Promise.all(waiting)
  t.deepEqual(granted.sort(), names)
  t.true((await server.sessions()) <= 1 + 3)
})

declare(
  'a request inside the callback of a lock granted after a wait needs no further connection',
  async t => {
    const other = connect(t)
    const locks = connect(t, { maxConnections: 2 })
    const [first, second] = [await hold(other, 'outer'), await hold(other, 'inner')]
    const result = locks.request('outer', () => locks.request('inner', lock => lock?.mode))
    await sleep(50)
    await first()
    await sleep(50)
    await second()
    t.is(await result, 'exclusive')
  },
)

declare('a wait that is aborted at any moment leaves neither a lock nor a wait', async t => {
  const [holder, locks] = [connect(t), connect(t, { maxConnections: 4 })]
  for (let turn = 0; turn < 60; turn += 1) {
    const release = await hold(holder, 'aborted')
    const controller = new AbortController()
    const waits = [1, 2].map(which =>
      locks
        .request(
          'aborted',
          { mode: which === 1 ? 'exclusive' : 'shared', signal: controller.signal },
          () => 'granted',
        )
        .catch(reason => reason),
    )
    await sleep(turn % 4)
    const released = turn % 2 === 0 ? release() : undefined
    await sleep(Math.random() * 2)
    controller.abort('aborted')
    for (const outcome of await Promise.all(waits))
      t.true(['granted', 'aborted'].includes(outcome), `${outcome}`)
    await released
    if (turn % 2 === 1) await release()
  }
  await until('nothing is left', async () => {
    return !(await server.hasKey(postgresKeyOf('aborted')))
  })
  t.true(await holder.request('aborted', { ifAvailable: true }, lock => lock !== null))
})

declare('an aborted wait is cancelled on the server at once', async t => {
  const [holder, locks] = [connect(t), connect(t)]
  const release = await hold(holder, 'cancelled')
  /** The milliseconds from the abort to the end of the wait on the server. */
  const aborted = async () => {
    const controller = new AbortController()
    const wait = locks.request('cancelled', { signal: controller.signal }, () => {})
    await until('it waits', async () => (await holder.query()).pending.length === 1)
    const start = performance.now()
    controller.abort('no')
    t.is(await wait.catch(reason => reason), 'no')
    await until('it waits no more', async () => (await holder.query()).pending.length === 0)
    return performance.now() - start
  }
  let took = await aborted()
  // A busy machine may be late at one turn, but not at each.
  for (let turn = 0; took > 900 && turn < 8; turn += 1) took = await aborted()
  t.true(took <= 900, `${took} ms`)
  // The session is used for the next wait.
  const sessions = await server.sessions()
  const next = locks.request('cancelled', lock => lock?.mode)
  await until('the next waits', async () => (await holder.query()).pending.length === 1)
  t.is(await server.sessions(), sessions)
  await release()
  t.is(await next, 'exclusive')
})

declare('a Pool and a function that makes clients are sources too', async t => {
  const pool = new pg.Pool({ connectionString: server.url, max: 4 })
  const sources: [string, PostgresSource][] = [
    ['pool', pool],
    ['function', () => new pg.Client(server.url)],
    ['async function', async () => new pg.Client({ connectionString: server.url })],
  ]
  for (const [what, source] of sources) {
    const [one, other] = [PostgresLocks.connect(source, { maxConnections: 2 }), connect(t)]
    const release = await hold(other, what)
    const waiting = one.request(what, async lock => [lock?.mode, lock?.signal.aborted])
    t.is(await one.request(what, { ifAvailable: true }, lock => lock), null)
    await release()
    t.deepEqual(await waiting, ['exclusive', false], what)
    await one.close()
    await other.close()
  }
  // The pool gets no connection back that has the settings of these locks.
  await until('the pool is empty', () => pool.totalCount === 0)
  t.is((await pool.query(`show application_name`)).rows[0].application_name, '')
  await pool.end()
})

declare('of a Pool no more connections are taken than it has, and one is too few', async t => {
  const [small, single] = [2, 1].map(max => new pg.Pool({ connectionString: server.url, max }))
  t.throws(() => PostgresLocks.connect(single as pg.Pool), {
    code: 'ERR_INVALID_ARG_VALUE',
    message: /at least 2/,
  })
  const [holder, locks] = [connect(t), PostgresLocks.connect(small as pg.Pool)]
  const releases = await Promise.all(['small-1', 'small-2'].map(name => hold(holder, name)))
  const waiting = ['small-1', 'small-2'].map(name =>
    locks.request(name, { timeout: 30_000 }, lock => lock?.name),
  )
  await until('one waits on the server', async () => (await holder.query()).pending.length === 1)
  await Promise.all(releases.map(release => release()))
  t.deepEqual(await Promise.all(waiting), ['small-1', 'small-2'])
  await locks.close()
  for (const pool of [small, single]) await pool?.end()
})

declare('a client with a time limit of its own keeps its place in the line', async t => {
  const holder = connect(t)
  const limited = connect(t, {}, () => new pg.Client({ connectionString: server.url, query_timeout: 100 }))
  const release = await hold(holder, 'limited')
  const order: string[] = []
  const first = limited.request('limited', () => void order.push('first'))
  await until('the first waits', async () => (await holder.query()).pending.length === 1)
  const second = connect(t).request('limited', () => void order.push('second'))
  await until('both wait', async () => (await holder.query()).pending.length === 2)
  await sleep(300)
  await release()
  await Promise.all([first, second])
  t.deepEqual(order, ['first', 'second'])
})

declare('a timeout of 0 takes what is free, and does not wait', async t => {
  const [holder, locks] = [connect(t), connect(t)]
  t.is(await locks.request('zero', { timeout: 0 }, lock => lock?.mode), 'exclusive')
  const release = await hold(holder, 'zero')
  const refused = { code: 'ETIMEDOUT', message: "the lock 'zero' was not granted in time" }
  await t.throwsAsync(
    locks.request('zero', { timeout: 0 }, () => {}),
    refused,
  )
  t.is(await locks.request('zero', { timeout: 0, ifAvailable: true }, lock => lock), null)
  await release()
  await locks.request('zero', () =>
    t.throwsAsync(
      locks.request('zero', { timeout: 0 }, () => {}),
      refused,
    ),
  )
})

declare('a session that ends while it comes from a pool aborts the signal', async t => {
  const pool = new pg.Pool({ connectionString: server.url, max: 2 })
  pool.on('error', () => {})
  const locks = PostgresLocks.connect(pool, { maxConnections: 2 })
  const reason = await locks.request('pooled', async lock => {
    const aborted = new Promise(resolve => lock?.signal.addEventListener('abort', resolve))
    await server.terminateSessions(true)
    await aborted
    return lock?.signal.reason
  })
  t.is(reason.code, 'ERR_LOCK_LOST')
  t.is(await locks.request('pooled', lock => lock?.mode), 'exclusive')
  await locks.close()
  await pool.end()
})

declare('close rejects waiting requests, and leaves a held lock until its callback is done', async t => {
  const [holder, locks] = [connect(t), PostgresLocks.connect(server.url)]
  const release = await hold(holder, 'b')
  const releaseOwn = await hold(locks, 'a')
  const waiting = locks.request('b', () => t.fail('it ran'))
  await until('it waits', async () => (await holder.query()).pending.length === 1)
  const closing = locks.close()
  await t.throwsAsync(waiting, { code: 'ERR_CLOSED' })
  await closing
  await t.throwsAsync(
    locks.request('c', () => {}),
    { code: 'ERR_CLOSED' },
  )
  await t.throwsAsync(locks.query(), { code: 'ERR_CLOSED' })
  t.is(await holder.request('a', { ifAvailable: true }, lock => lock), null)
  await releaseOwn()
  t.is(await holder.request('a', { ifAvailable: true }, lock => lock?.mode), 'exclusive')
  await locks.close()
  await release()
  await until('its sessions are gone', async () => (await server.sessions()) === 1)
  // No request was made, so there is nothing to close.
  await PostgresLocks.connect(server.url).close()
  await using unused = PostgresLocks.connect(server.url)
  t.is(String(unused), '[object LockManager]')
})

declare('idle and held locks keep no process alive, and a wait does', async t => {
  const idle = child(t, 'postgres/end.ts', { args: [server.url, 'idle'] })
  t.like(await idle.exit, { code: 0, stdout: '"idle"\n', stderr: '' })
  const held = child(t, 'postgres/end.ts', { args: [server.url, 'held'] })
  t.like(await held.exit, { code: 0, stdout: '"held"\n', stderr: '' })
  await until('its lock is free', async () => (await server.sessions()) === 0)
  const locks = connect(t)
  const release = await hold(locks, 'end')
  const waits = child(t, 'postgres/end.ts', { args: [server.url, 'waits'] })
  t.is(await waits.next(), 'waits')
  await sleep(300)
  await release()
  t.is(await waits.next(), 'granted')
  t.like(await waits.exit, { code: 0, stderr: '' })
})

declare('query lists names, modes and processes, and not the locks of other programs', async t => {
  const locks = connect(t)
  const name = 'a name /* of */ many\0 letters é 日本'
  const other = child(t, 'postgres/hold.ts', { args: [server.url, 'shared one', '{"mode":"shared"}'] })
  t.is(await other.next(), 'held')
  const release = await hold(locks, name)
  const foreign = new pg.Client(server.url)
  await foreign.connect()
  await foreign.query('select pg_advisory_lock(42), pg_advisory_lock(42, 42)')
  const { held, pending } = await connect(t).query()
  t.deepEqual(
    held.map(({ name, mode, pid }) => [name, mode, pid]).sort(),
    [
      [name, 'exclusive', process.pid],
      ['shared one', 'shared', other.pid],
    ].sort(),
  )
  t.true(held.every(({ clientId, pid }) => clientId?.startsWith(`node-${pid}-0@`)))
  t.deepEqual(pending, [])
  await foreign.end()
  // Query still has a name after other statements of its session.
  for (let turn = 0; turn < 5; turn += 1) await locks.request('short', () => {})
  const tells = async () => (await connect(t).query()).held.some(lock => lock.name === name)
  await until('query has the name again', tells)
  await release()
})
