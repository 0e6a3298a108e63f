// The errors of locks on PostgreSQL, provoked for real.

import { spawn } from 'node:child_process'
import { chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'
import pg from 'pg'

import { IpcError } from '../../index.js'
import { PostgresLocks, type PostgresLocksOptions } from '../../postgres.js'
import { hold } from '../lock/helpers/hold.ts'
import { asUser, freePort, postgresKeyOf, postgresServer, PostgresServer, user } from '../shared/postgres.ts'
import { requires, tool } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const server = PostgresServer.forAll(test)

const declare = requires(postgresServer).serial
const never = () => {
  throw new Error('it ran')
}

function connect(t: ExecutionContext, options?: PostgresLocksOptions, url = server.url) {
  const locks = PostgresLocks.connect(url, options)
  t.teardown(() => locks.close())
  return locks
}

/** Locks with these keys, independent of their names. */
function withKeys(t: ExecutionContext, keys: (name: string) => bigint): PostgresLocks {
  const locks: PostgresLocks = Reflect.construct(PostgresLocks, [server.url, {}, keys])
  t.teardown(() => locks.close())
  return locks
}

// --- deadlocks

declare('holders that wait for each other get EDEADLK, with the names of the locks', async t => {
  const [one, other] = [connect(t), connect(t)]
  const both = Promise.withResolvers<void>()
  let inside = 0
  const nested = (locks: PostgresLocks, first: string, second: string) =>
    locks.request(first, async () => {
      inside += 1
      if (inside === 2) both.resolve()
      await both.promise
      return locks.request(second, () => 'granted')
    })
  const outcomes = await Promise.allSettled([nested(one, 'x', 'y'), nested(other, 'y', 'x')])
  const failed = outcomes.filter(outcome => outcome.status === 'rejected')
  t.is(failed.length, 1)
  const reason: IpcError = failed[0]?.reason
  t.true(reason instanceof IpcError)
  t.like(reason, { code: 'EDEADLK', errno: -35 })
  t.regex(reason.message, /'x' -> 'y' -> 'x'|'y' -> 'x' -> 'y'/)
  t.regex(reason.hint ?? '', /same order/)
  t.deepEqual(
    outcomes.filter(outcome => outcome.status === 'fulfilled').map(({ value }) => value),
    ['granted'],
  )
})

declare('a deadlock of three is detected too, and a long wait is not a deadlock', async t => {
  const names = ['p', 'q', 'r'] as const
  const managers = names.map(() => connect(t))
  const all = Promise.withResolvers<void>()
  let inside = 0
  const outcomes = await Promise.allSettled(
    managers.map((locks, index) =>
      locks.request(names[index] as string, async () => {
        inside += 1
        if (inside === 3) all.resolve()
        await all.promise
        return locks.request(names[(index + 1) % 3] as string, () => 'granted')
      }),
    ),
  )
  const failed = outcomes.filter(outcome => outcome.status === 'rejected')
  t.is(failed.length, 1)
  for (const name of names) t.true(failed[0]?.reason.message.includes(`'${name}'`))

  const [one, other] = [connect(t), connect(t)]
  const release = await hold(one, 'long')
  const waiting = other.request('outer', () => other.request('long', lock => lock?.mode))
  await sleep(3_500)
  await release()
  t.is(await waiting, 'exclusive')
})

// --- names

declare('two names with one key are detected in this process and in another one', async t => {
  const same = () => 4_711n
  const [one, other] = [withKeys(t, same), withKeys(t, same)]
  const release = await hold(one, 'first')
  const error = await t.throwsAsync(one.request('second', never), { code: 'ERR_NAME_COLLISION' })
  t.true(error?.message.includes("'first'") && error.message.includes("'second'"))
  const elsewhere = await t.throwsAsync(other.request('second', never), { code: 'ERR_NAME_COLLISION' })
  t.true(elsewhere?.message.includes("'first'") && elsewhere.message.includes("'second'"))
  await release()
  t.is(await other.request('second', lock => lock?.name), 'second')
})

declare('the key of a lock is the same as in the documentation', async t => {
  const release = await hold(connect(t), 'reports')
  const [row] = await server.sql(
    `select ('x' || substr(encode(sha256('os-ipc:lock:reports'), 'hex'), 1, 16))::bit(64)::bigint::text as key`,
  )
  t.is(row?.key, `${postgresKeyOf('reports')}`)
  t.true(await server.hasKey(BigInt(row?.key as string)))
  await release()
})

// --- arguments

declare('steal, and options that exclude each other, are a NotSupportedError', async t => {
  const locks = connect(t)
  for (const options of [
    { steal: true },
    { steal: true, ifAvailable: true },
    { ifAvailable: true, signal: new AbortController().signal },
  ]) {
    await t.throwsAsync(locks.request('a', options, never), { name: 'NotSupportedError' })
  }
  await t.throwsAsync(locks.request('-a', never), { name: 'NotSupportedError' })
  await t.throwsAsync(locks.request('a', { timeout: -1 }, never), { instanceOf: RangeError })
  await t.throwsAsync(locks.request('a', { timeout: '1' as never }, never), { instanceOf: TypeError })
  const read: string[] = []
  const options = new Proxy({}, { get: (_, key) => void read.push(String(key)) })
  await locks.request('a', options, () => {})
  t.deepEqual(read, ['ifAvailable', 'mode', 'signal', 'steal', 'timeout'])
})

test('invalid options and sources are refused before any connection', t => {
  const url = 'postgres://127.0.0.1:1/none'
  for (const [options, expected] of [
    [{ maxConnections: 1 }, RangeError],
    [{ maxConnections: '2' }, TypeError],
    [{ deadAfter: 10 }, RangeError],
    [{ pooler: 'transaction' }, TypeError],
    [5, TypeError],
  ] as const) {
    t.throws(() => PostgresLocks.connect(url, options as never), { instanceOf: expected })
  }
  for (const source of [undefined, 5, {}, null]) {
    t.throws(() => PostgresLocks.connect(source as never), { instanceOf: TypeError })
  }
})

declare('a timeout ends a wait with ETIMEDOUT, and the lock is not taken later', async t => {
  const [holder, locks] = [connect(t), connect(t)]
  const release = await hold(holder, 'late')
  await t.throwsAsync(locks.request('late', { timeout: 50 }, never), {
    instanceOf: IpcError,
    code: 'ETIMEDOUT',
  })
  await t.throwsAsync(locks.request('late', { timeout: 0 }, never), { code: 'ETIMEDOUT' })
  await release()
  t.is(await locks.request('late', { timeout: 30_000 }, lock => lock?.mode), 'exclusive')
})

// --- the server

declare("a refusal of the server is ERR_REFUSED at once, with the server's message", async t => {
  for (const [url, expected] of [
    [server.url.replace(/:[^:@]+@/, ':wrong@'), /password authentication failed/],
    [server.url.replace(/postgres$/, 'missing'), /database "missing" does not exist/],
  ] as const) {
    const error = await t.throwsAsync(connect(t, {}, url).request('a', never), { code: 'ERR_REFUSED' })
    t.regex(error?.message ?? '', expected)
  }
})

declare('a full table of locks is an error, and the lock is free afterwards', async t => {
  const locks = connect(t)
  await locks.request('before', () => {})
  const greedy = new pg.Client(server.url)
  await greedy.connect()
  const full = await greedy
    .query('select pg_advisory_lock_shared(i) from generate_series(1, 1000000) i')
    .catch(e => e)
  t.is(full.code, '53200')
  const outcome = await locks.request('full', () => 'granted').catch(error => error)
  if (outcome !== 'granted') {
    t.is(outcome.code, 'ERR_REFUSED')
    t.regex(outcome.message, /out of shared memory/)
  }
  await greedy.end()
  await until('there is room', async () => (await server.sql('select 1 from pg_locks')).length < 100)
  t.is(await locks.request('full', { timeout: 20_000 }, lock => lock?.mode), 'exclusive')
})

declare('limits that a server sets for all sessions end no wait', async t => {
  await server.sql(`alter role postgres set statement_timeout = '200ms'`)
  await server.sql(`alter role postgres set lock_timeout = '200ms'`)
  await server.sql(`alter role postgres set idle_session_timeout = '300ms'`)
  t.teardown(() => server.sql('alter role postgres reset all'))
  const [holder, locks] = [connect(t), connect(t)]
  const release = await hold(holder, 'slow')
  const waiting = locks.request('slow', lock => lock?.mode)
  await sleep(900)
  await release()
  t.is(await waiting, 'exclusive')
})

// --- poolers

for (const mode of ['transaction', 'session', 'statement'] as const) {
  requires(postgresServer, tool('pgbouncer')).serial(`pgbouncer in ${mode} mode is refused`, async t => {
    const port = await pgbouncer(t, mode)
    const url = server.urlThrough(port)
    const error = await t.throwsAsync(connect(t, {}, url).request('a', never), { code: 'ERR_NOT_SUPPORTED' })
    t.regex(error?.message ?? '', /pooler/)
    t.regex((error as IpcError).hint ?? '', /pooler: 'session'/)
    const allowed = connect(t, { pooler: 'session' }, url)
    if (mode === 'session') {
      const release = await hold(connect(t), 'through')
      const waiting = allowed.request('through', lock => lock?.mode)
      await sleep(50)
      await release()
      t.is(await waiting, 'exclusive')
    } else {
      // The user's option is not enough: the pooler is checked.
      const error = await t.throwsAsync(allowed.request('through', never), { code: 'ERR_NOT_SUPPORTED' })
      t.regex(error?.message ?? '', /does not pool by session/)
    }
    await allowed.close()
  })
}

async function pgbouncer(t: ExecutionContext, mode: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-pgbouncer-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const users = join(folder, 'users')
  const settings = join(folder, 'settings')
  writeFileSync(users, `"postgres" "${server.password}"\n`)
  writeFileSync(
    settings,
    `[databases]
* = host=127.0.0.1 port=${server.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = ${mode}
`,
  )
  if (user !== undefined) for (const path of [folder, users, settings]) chownSync(path, user.uid, user.gid)
  const [command = '', ...rest] = asUser('pgbouncer', ['-q', settings])
  const started = spawn(command, rest, { stdio: 'ignore' })
  t.teardown(() => void started.kill('SIGTERM'))
  const client = () => new pg.Client(server.urlThrough(port))
  await until('pgbouncer answers', async () => {
    const one = client()
    one.on('error', () => {})
    return one.connect().then(
      () => one.end().then(() => true),
      () => false,
    )
  })
  return port
}
