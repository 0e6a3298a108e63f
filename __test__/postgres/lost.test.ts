// The ways in which a lock on PostgreSQL is lost, and how its holder learns of it.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { IpcError } from '../../index.js'
import { PostgresLocks, type PostgresLock, type PostgresLocksOptions } from '../../postgres.js'
import { child } from '../shared/child.ts'
import { postgresServer, PostgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

/** One server for all tests, which run one after another. */
const server = PostgresServer.forAll(test)

const declare = requires(postgresServer).serial

/** Locks that are closed when the test ends. */
function connect(t: ExecutionContext, options?: PostgresLocksOptions): PostgresLocks {
  const locks = PostgresLocks.connect(server.url, options)
  t.teardown(() => locks.close())
  return locks
}

/** Holds a lock until it is lost, and returns the reason. */
function untilLost(locks: PostgresLocks, name: string, held: (lock: PostgresLock) => void = () => {}) {
  return locks.request(name, async lock => {
    if (lock === null) throw new Error('no lock')
    held(lock)
    if (!lock.signal.aborted) await new Promise(resolve => lock.signal.addEventListener('abort', resolve))
    return lock.signal.reason as IpcError
  })
}

declare('a session that the server ends aborts the signal, and the lock can be taken again', async t => {
  const locks = connect(t)
  const granted = Promise.withResolvers<void>()
  const lost = untilLost(locks, 'a', () => granted.resolve())
  await granted.promise
  await server.terminateSessions(true)
  const reason = await lost
  t.true(reason instanceof IpcError)
  t.like(reason, { code: 'ERR_LOCK_LOST' })
  t.regex(reason.message, /^the lock 'a' is lost: .*terminat/)
  t.regex(reason.hint ?? '', /another process may hold it now/)
  t.is(await locks.request('a', lock => lock?.mode), 'exclusive')
})

declare('a lost lock does not block the requests behind it', async t => {
  const locks = connect(t)
  const { promise, resolve } = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<PostgresLock | null>()
  const first = locks.request('a', async lock => {
    void lock?.signal
    granted.resolve(lock)
    await promise
    return 'done'
  })
  const lock = await granted.promise
  const second = locks.request('a', next => (next?.fence ?? 0) > (lock?.fence ?? 0))
  await server.terminateSessions(true)
  t.true(await second)
  t.true(lock?.signal.aborted)
  resolve()
  t.is(await first, 'done')
})

declare('a wait goes on when its session ends', async t => {
  const [holder, waiter] = [connect(t), connect(t)]
  const { promise, resolve } = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const first = holder.request('a', async () => {
    held.resolve()
    await promise
  })
  await held.promise
  const second = waiter.request('a', lock => lock?.mode)
  await until('it waits', async () => (await holder.query()).pending.length === 1)
  await server.terminateSessions(false)
  await until('it waits again', async () => (await holder.query()).pending.length === 1)
  resolve()
  await first
  t.is(await second, 'exclusive')
})

declare('a server that is stopped loses the locks after nine tenths of deadAfter', async t => {
  const locks = connect(t, { deadAfter: 3_000 })
  let since = 0
  const granted = Promise.withResolvers<void>()
  const lost = untilLost(locks, 'a', () => granted.resolve())
  await granted.promise
  since = performance.now()
  server.pause()
  t.regex((await lost).message, /did not answer for 2700 ms/)
  t.true(performance.now() - since > 1_000)
  // A request that waits meanwhile finds the server again.
  const next = connect(t, { deadAfter: 3_000 }).request('a', lock => lock?.mode)
  await sleep(200)
  server.resume()
  t.is(await next, 'exclusive')
})

declare('a process that was stopped for too long sees at once that its lock is lost', async t => {
  const process = child(t, 'postgres/stopped.ts', { args: [server.url] })
  t.is(await process.next(), 'held')
  process.kill('SIGSTOP')
  await sleep(3_500)
  process.kill('SIGCONT')
  process.send('look')
  t.deepEqual(await process.next(), { aborted: true, code: 'ERR_LOCK_LOST' })
  t.like(await process.exit, { code: 0, stderr: '' })
})

declare('the loss of a lock whose signal is not used prints a warning', async t => {
  const process = child(t, 'postgres/hold.ts', { args: [server.url, 'a'] })
  t.is(await process.next(), 'held')
  await server.terminateSessions(true)
  t.deepEqual(await process.next(), { warned: 'OS_IPC_LOCK_LOST' })
  process.send('release')
  const { stderr } = await process.exit
  t.regex(stderr, /\[OS_IPC_LOCK_LOST\] Warning: the lock 'a' is lost: .*, and nothing reads its signal/)
})

declare('requests wait for an unavailable server; ifAvailable and query reject', async t => {
  const locks = connect(t)
  await locks.request('a', () => {})
  await server.kill('SIGINT')
  await t.throwsAsync(
    locks.request('a', { ifAvailable: true }, () => {}),
    { code: 'ERR_UNAVAILABLE' },
  )
  await t.throwsAsync(locks.query(), { code: 'ERR_UNAVAILABLE' })
  const late = await t.throwsAsync(
    locks.request('a', { timeout: 5_000 }, () => {}),
    { code: 'ETIMEDOUT' },
  )
  t.regex((late as IpcError).hint ?? '', /ECONNREFUSED/)
  const waiting = locks.request('a', lock => lock?.mode)
  await server.start()
  t.is(await waiting, 'exclusive')
})

declare('the fence keeps growing after the end of sessions and of the server, crashes included', async t => {
  const fences: number[] = []
  const locks = connect(t)
  const take = async () => {
    for (let turn = 0; turn < 50; turn += 1) {
      await locks.request('a', lock => void fences.push(lock?.fence ?? 0))
    }
  }
  await take()
  await connect(t).request('a', lock => void fences.push(lock?.fence ?? 0))
  // A server that is killed forgets the last numbers, which were not on the disk yet.
  for (const signal of ['SIGINT', 'SIGKILL', 'SIGQUIT', 'SIGKILL'] as const) {
    await server.kill(signal)
    await server.start()
    await take()
  }
  // The death of one of its processes makes a server forget numbers too, and continue.
  process.kill(await victim(), 'SIGKILL')
  await until('it has noticed', async () => !(await server.answers()), 5_000).catch(() => {})
  await until('it goes on', () => server.answers())
  await take()
  t.deepEqual(
    fences,
    [...new Set(fences)].sort((a, b) => a - b),
  )
  t.true(
    fences.every(fence => Number.isSafeInteger(fence) && fence > 0),
    fences.join(),
  )
})

declare('the numbers that a server skips after its start are on the disk before the first fence', async t => {
  // This server writes to the disk only what a commit waits for: for 10 s.
  const lazy = await PostgresServer.start(t)
  for (const setting of ["wal_writer_delay = '10s'", "wal_writer_flush_after = '1GB'"]) {
    await lazy.sql(`alter system set ${setting}`)
  }
  for (const commits of ['on', 'off']) {
    await lazy.sql(`alter system set synchronous_commit = ${commits}`)
    await lazy.kill('SIGKILL')
    await lazy.start()
    const locks = PostgresLocks.connect(lazy.url)
    t.teardown(() => locks.close())
    await locks.request('a', () => {})
    // 20,000 transactions that wrote nothing take 680 KB.
    const [row] = await lazy.sql('select pg_current_wal_insert_lsn() - pg_current_wal_flush_lsn() as bytes')
    t.true(Number(row?.bytes) < 10_000, `synchronous_commit = ${commits}: ${row?.bytes} bytes`)
  }
})

/** A process of the server that no session uses. */
async function victim(): Promise<number> {
  const [row] = await server.sql(`select pid from pg_stat_activity where backend_type = 'background writer'`)
  return Number(row?.pid)
}
