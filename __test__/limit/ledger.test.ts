// What only a ledger has: the choice between the engines, its file, its line, PID namespaces.

import {
  chmodSync,
  closeSync,
  existsSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'

import type { ExecutionContext } from 'ava'

import { IpcError, Limit, list, Semaphore } from '../../index.js'
import { cli, json } from '../cli/helpers/cli.ts'
import { program } from '../shared/child.ts'
import { withoutUndo } from '../shared/kernels.ts'
import { exists, keyOf, ledgerOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { linux, requires, root, tool } from '../shared/requires.ts'
import { asUser, SYSTEM_V, refusing, type Surroundings, withoutShm } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'
import { freeOf, type NamedLimit, ownLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'
import { servedAs } from './helpers/served.ts'

const LEDGER = { engine: 'ledger' } as const
const test = requires(linux)

function ownLedger(t: ExecutionContext, permits: number, mode = 0o600): NamedLimit {
  return ownLimit(t, permits, { ...LEDGER, mode })
}

// ---- which engine

test('a new limit has the engine that was asked for, and open finds it without one', t => {
  const name = uniqueName(t)
  using made = Limit.create(name, { permits: 2, ...LEDGER })
  t.like(made, { engine: 'ledger', created: true, permits: 2, name })
  t.false(exists('sem', keyOf(name)), 'there is no set')
  for (const found of [
    Limit.open(name),
    Limit.open(name, LEDGER),
    Limit.openOrCreate(name, { permits: 2 }),
    Limit.openOrCreate(name, { permits: 2, ...LEDGER }),
  ]) {
    t.like(found, { engine: 'ledger', created: false, permits: 2 })
    found.close()
  }
  t.like(made.info(), {
    engine: 'ledger',
    key: undefined,
    id: undefined,
    lastPid: undefined,
    operatedAt: undefined,
    stopped: [],
    unnamed: 0,
    verified: true,
  })
  t.is(list().limits.find(info => info.name === name)?.engine, 'ledger')
  t.false(
    list().memory.some(info => info.name?.includes('os-ipc.')),
    'its files are no shared memory',
  )
})

test('info tells when a permit was taken last', t => {
  const limit = ownLedger(t, 2)
  t.is(limit.info().operatedAt, undefined)
  const before = Math.floor(Date.now() / 1000) * 1000
  const permit = limit.tryAcquire()
  const { operatedAt } = limit.info()
  t.true(Number(operatedAt) >= before && Number(operatedAt) <= Date.now())
  permit?.release()
  t.deepEqual(limit.info().operatedAt, operatedAt)
})

test('a name lives in one engine', t => {
  for (const [engine, other] of [
    ['sysv', 'ledger'],
    ['ledger', 'sysv'],
  ] as const) {
    const name = uniqueName(t)
    using limit = Limit.create(name, { permits: 1, engine })
    const hint = new RegExp(`the name lives in the engine '${engine}'`)
    const refusals: [use: () => unknown, code: string][] = [
      [() => Limit.create(name, { permits: 1, engine: other }), 'EEXIST'],
      [() => Limit.openOrCreate(name, { permits: 1, engine: other }), 'EEXIST'],
      [() => Limit.open(name, { engine: other }), 'ENOENT'],
    ]
    for (const [use, code] of refusals) {
      const error = t.throws(use, { instanceOf: IpcError, code }, String(use)) as IpcError
      t.regex(error.hint ?? '', hint)
    }
    t.throws(() => Limit.create(name, { permits: 1 }), { code: 'EEXIST' })
    t.false(Limit.unlink(name, { engine: other }))
    t.is(limit.permits, 1, 'it is untouched')
    t.true(Limit.unlink(name))
    t.throws(() => Limit.open(name), { code: 'ENOENT' })
  }
})

test('a semaphore does not open as a ledger, nor a ledger as a semaphore', t => {
  const limit = ownLedger(t, 1)
  for (const use of [
    () => Semaphore.create(limit.name, { initial: 1 }),
    () => Semaphore.open(limit.name),
    () => Semaphore.openOrCreate(limit.name, { initial: 1 }),
    () => Semaphore.unlink(limit.name),
  ]) {
    t.throws(use, { code: 'ERR_WRONG_KIND' }, String(use))
  }
  const name = uniqueName(t)
  using _ = Semaphore.create(name, { initial: 1 })
  t.throws(() => Limit.create(name, { permits: 1, ...LEDGER }), { code: 'ERR_WRONG_KIND' })
  t.false(existsSync(ledgerOf(name)))
})

test('a ledger has a name, not a key, and an unknown engine is refused', t => {
  t.throws(() => Limit.create(uniqueKey(t), { permits: 1, ...LEDGER }), { code: 'ERR_NOT_SUPPORTED' })
  t.throws(() => Limit.open(uniqueName(t), { engine: 'posix' as never }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Limit.open(uniqueName(t), { engine: 1 as never }), { code: 'ERR_INVALID_ARG_TYPE' })
})

const kernels: [title: string, within: Surroundings][] = [
  ['ignores SEM_UNDO', withoutUndo()],
  ['refuses System V', refusing(SYSTEM_V, 'EPERM')],
]
for (const [title, kernel] of kernels) {
  requires(linux, kernel)(
    `where the kernel ${title}, a new limit is a ledger and a killed process loses nothing`,
    async t => {
      const name = uniqueName(t)
      const within = [kernel]
      const holder = remote(t, 'create', name, { permits: 1 }, { within })
      t.like(await holder.opened, { created: true })
      t.is(await holder.call('acquire'), 1)
      using here = Limit.open(name)
      t.like(here.info(), { engine: 'ledger', free: 0, holders: [{ pid: holder.child.pid, permits: 1 }] })
      const waiting = here.acquire({ timeout: 60_000 })
      await until('the other waits', () => here.info().waiters === 1)
      holder.child.kill('SIGKILL')
      await holder.child.exit
      const permit = await waiting
      t.like(here.info(), { free: 0, holders: [{ pid: process.pid, permits: 1 }] })
      permit.release()
    },
  )
}

requires(refusing(SYSTEM_V, 'EPERM'))(
  'behind a filter that refuses System V, the set of other processes is an error and gets no double',
  async t => {
    const limit = ownLimit(t, 1, { engine: 'sysv' })
    const within = [refusing(SYSTEM_V, 'EPERM')]
    for (const [method, options] of [
      ['open', {}],
      ['create', { permits: 1 }],
      ['openOrCreate', { permits: 1 }],
      ['openOrCreate', { permits: 1, ...LEDGER }],
      ['unlink', {}],
    ] as const) {
      const other = remote(t, method, limit.name, options, { within })
      const failed = (await other.opened) as { code?: string; hint?: string }
      t.is(failed.code, 'EPERM', method)
      t.regex(failed.hint ?? '', /is that of a System V set .*seccomp.*engine 'ledger'/, method)
    }
    t.false(existsSync(ledgerOf(limit.name)))
    const absent = remote(t, 'open', uniqueName(t), {}, { within })
    t.like(await absent.opened, { code: 'ENOENT' })
    t.is(freeOf(limit), 1)
  },
)

requires(linux, withoutUndo())(
  'a limit that a kernel with undo made is found where undo is ignored',
  async t => {
    const limit = ownLimit(t, 1)
    const other = remote(t, 'openOrCreate', limit.name, { permits: 1 }, { within: [withoutUndo()] })
    t.like(await other.opened, { created: false })
    t.is(await other.call('acquire'), 1)
    t.is(freeOf(limit), 0)
    t.false(existsSync(ledgerOf(limit.name)))
  },
)

requires(linux, withoutShm)('without /dev/shm the ledger is in /var/tmp', async t => {
  const name = uniqueName(t)
  const other = remote(t, 'create', name, { permits: 1, ...LEDGER }, { within: [withoutShm] })
  t.like(await other.opened, { created: true })
  t.true(existsSync(ledgerOf(name, '/var/tmp')))
  t.is(await other.call('acquire'), 1)
})

test('the command shows a ledger, changes its number and removes it', async t => {
  const limit = ownLedger(t, 2)
  using _ = limit.acquireSync()
  const shown = await cli(t, ['show', limit.name])
  t.regex(shown.stdout, /kind +limit, in a ledger/)
  t.regex(shown.stdout, new RegExp(`held by +${process.pid}`))
  t.regex((await cli(t, ['ls', limit.name])).stdout, /^limit +\S+ +ledger +1\/2 used /m)
  t.is((await cli(t, ['limit', limit.name, '5'])).code, 0)
  t.is(limit.permits, 5)
  t.is((await cli(t, ['run', limit.name, '--', 'true'])).code, 0)
  t.is((await cli(t, ['rm', '--force', limit.name])).code, 0)
  t.throws(() => limit.permits, { code: 'EIDRM' })
})

// ---- the file

test('a ledger is one file with the mode that was asked for, and unlink removes it', t => {
  const limit = ownLedger(t, 1, 0o640)
  const file = ledgerOf(limit.name)
  t.is(statSync(file).mode & 0o777, 0o640)
  t.is(readFileSync(file).toString('latin1', 0, 4), 'OSIL')
  limit.unlink()
  t.false(existsSync(file))
  using again = Limit.create(limit.name, { permits: 5, ...LEDGER })
  t.is(again.permits, 5)
  limit.unlink()
  t.is(again.permits, 5, 'the handle of the first one removes only that')
  t.throws(() => limit.permits, { code: 'EIDRM' })
})

test('the place that a killed remover left is used again', t => {
  const limit = ownLedger(t, 1)
  const file = ledgerOf(limit.name)
  renameSync(file, `${file}.kept`)
  limit.unlink()
  renameSync(`${file}.kept`, file)
  t.throws(() => Limit.open(limit.name), { code: 'ENOENT' })
  t.false(existsSync(file))
  using again = Limit.create(limit.name, { permits: 2, ...LEDGER })
  t.is(again.permits, 2)
})

test('what is not a ledger is refused and not touched', t => {
  const precious = `/dev/shm${uniqueName(t)}`
  writeFileSync(precious, 'precious')
  const plants: [plant: (file: string) => void, message: RegExp][] = [
    [file => symlinkSync(precious, file), /a symbolic link/],
    [file => linkSync(precious, file), /another name too/],
    [file => writeFileSync(file, ''), /an empty file/],
    [file => writeFileSync(file, 'no ledger'), /another program/],
    [file => writeFileSync(file, Buffer.alloc(30_000)), /another program/],
  ]
  for (const [plant, message] of plants) {
    const name = uniqueName(t)
    plant(ledgerOf(name))
    for (const use of [
      () => Limit.open(name),
      () => Limit.create(name, { permits: 1, ...LEDGER }),
      () => Limit.openOrCreate(name, { permits: 1, ...LEDGER }),
      () => Limit.unlink(name, LEDGER),
    ]) {
      t.throws(use, { code: 'ERR_NOT_AN_OBJECT', message }, String(use))
    }
    t.true(readdirSync('/dev/shm').includes(ledgerOf(name).slice('/dev/shm/'.length)))
  }
  t.is(readFileSync(precious, 'utf8'), 'precious')
})

requires(linux, tool('mkfifo', 'coreutils'))('a planted FIFO does not block', async t => {
  const name = uniqueName(t)
  t.is((await program(t, ['mkfifo', ledgerOf(name)]).exit).code, 0)
  t.throws(() => Limit.open(name), { code: 'ERR_NOT_AN_OBJECT', message: /a FIFO|a socket or a device/ })
})

test('another ledger under the file of a name is a collision, and one of another version is refused', t => {
  const limit = ownLedger(t, 1)
  const bytes = readFileSync(ledgerOf(limit.name))
  const name = uniqueName(t)
  writeFileSync(ledgerOf(name), bytes)
  t.throws(() => Limit.open(name), { code: 'ERR_NAME_COLLISION', message: new RegExp(limit.name) })
  bytes.writeUInt32LE(99, 4)
  writeFileSync(ledgerOf(name), bytes)
  t.throws(() => Limit.open(name), { code: 'ERR_NOT_AN_OBJECT' })
})

test('a ledger that a peer truncates fails its calls, and the process lives', t => {
  const limit = ownLedger(t, 1)
  truncateSync(ledgerOf(limit.name), 0)
  t.throws(() => limit.tryAcquire(), { code: 'ERR_TRUNCATED' })
})

requires(linux, asUser(65_534))('a ledger of another user is refused, unless its owner is named', async t => {
  const name = uniqueName(t)
  const within = [asUser(65_534)]
  const stranger = remote(t, 'create', name, { permits: 1, mode: 0o666, ...LEDGER }, { within })
  t.like(await stranger.opened, { created: true })
  t.throws(() => Limit.open(name), { code: 'ERR_FOREIGN_OWNER', message: /belongs to uid 65534/ })
  using here = Limit.open(name, { owner: 65_534 })
  using permit = here.tryAcquire()
  t.truthy(permit)

  const limit = ownLedger(t, 1)
  const closed = remote(t, 'open', limit.name, {}, { within })
  t.like(await closed.opened, { code: 'EACCES', uid: 0, mode: 0o600 })
  chmodSync(ledgerOf(limit.name), 0o666)
  const guest = remote(t, 'open', limit.name, {}, { within })
  t.is(await guest.call('acquire'), 1)
  t.like(await guest.call('unlink'), { code: 'EPERM' })
  guest.child.kill('SIGKILL')
  await guest.child.exit
  t.truthy(limit.tryAcquire(), 'a user takes back what a process of another user held')
})

// ---- the line

test('processes are served in the order in which they asked', t => servedAs(t, [0, 1, 2], serveThree))

async function serveThree(t: ExecutionContext): Promise<number[]> {
  const limit = ownLedger(t, 1)
  const permit = limit.acquireSync()
  const others = [1, 2, 3].map(() => remote(t, 'open', limit.name))
  const [served, ends]: [number[], Promise<unknown>[]] = [[], []]
  for (const [place, other] of others.entries()) {
    await other.opened
    const end = other.call('acquire').then(() => {
      served.push(place)
      return other.call('release')
    })
    ends.push(end)
    await until('the other waits', () => limit.info().waiters === place + 1)
  }
  permit.release()
  await Promise.all(ends)
  return served
}

test('a stopped waiter is named and passed', async t => {
  const limit = ownLedger(t, 1)
  const permit = limit.acquireSync()
  const other = remote(t, 'open', limit.name)
  await other.opened
  const there = other.call('acquire')
  await until('the other waits', () => limit.info().waiters === 1)
  other.child.kill('SIGSTOP')
  await until('the waiter stops', () => limit.info().stopped?.includes(other.child.pid) === true)
  const waiting = limit.acquire({ timeout: 60_000 })
  permit.release()
  const second = await waiting
  const timedOut = await t.throwsAsync(limit.acquire({ timeout: 10 }), { code: 'ETIMEDOUT' })
  t.regex(
    (timedOut as IpcError).hint ?? '',
    new RegExp(`stopped by a signal or a debugger: ${other.child.pid}`),
  )
  other.child.kill('SIGCONT')
  second.release()
  t.is(await there, 1)
})

test('a waiter behind a killed one is served', async t => {
  const limit = ownLedger(t, 1)
  const permit = limit.acquireSync()
  const [first, second] = [remote(t, 'open', limit.name), remote(t, 'open', limit.name)]
  await Promise.all([first.opened, second.opened])
  void first.call('acquire').catch(() => {})
  await until('the other waits', () => limit.info().waiters === 1)
  const served = second.call('acquire')
  await until('the other waits', () => limit.info().waiters === 2)
  first.child.kill('SIGKILL')
  await first.child.exit
  permit.release()
  t.is(await served, 1)
})

test('the inbox of a killed process goes', async t => {
  const inboxes = () => readdirSync('/dev/shm').filter(file => file.startsWith('os-ipc.wake.'))
  const limit = ownLedger(t, 0)
  const killed = remote(t, 'open', limit.name)
  await killed.opened
  void killed.call('acquire').catch(() => {})
  await until('it waits', () => limit.info().waiters === 1)
  const { pid } = killed.child
  const left = () =>
    inboxes().filter(file => file.split('.')[3]?.startsWith(pid.toString(16).padStart(8, '0')))
  await until('it has an inbox', () => left().length === 1)
  killed.child.kill('SIGKILL')
  await killed.child.exit
  await until('the inbox is gone', () => limit.tryAcquire() === null && left().length === 0)
  t.pass()
})

/** The identity of a process in a ledger: its pid, and 32 bits of the time when it started. */
function identityOf(pid: number): bigint {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return (BigInt(pid) << 32n) | (BigInt(fields[19] ?? 0) & 0xffff_ffffn)
}

requires(linux, tool('flock', 'util-linux'))(
  'a process that stops while it changes a ledger is named, and holds up no longer than it stops',
  async t => {
    const limit = ownLedger(t, 1)
    // The state that a process leaves which stops inside the guard: the lock of the file, and its identity in the ledger.
    const argv = ['flock', '--no-fork', ledgerOf(limit.name), 'sh', '-c', 'echo locked; exec sleep 60']
    const other = program(t, argv)
    await other.next()
    const word = Buffer.alloc(8)
    word.writeBigUInt64LE(identityOf(other.pid))
    const file = openSync(ledgerOf(limit.name), 'r+')
    writeSync(file, word, 0, 8, 48)
    closeSync(file)
    t.deepEqual(limit.info().stopped, [], 'it is slow, but it runs')
    await until('it sleeps', () => readFileSync(`/proc/${other.pid}/comm`, 'utf8') === 'sleep\n')
    other.kill('SIGSTOP')
    await until('it is named', () => limit.info().stopped?.includes(other.pid) === true)
    t.is(limit.tryAcquire(), null)
    const late = (await t.throwsAsync(limit.acquire({ timeout: 50 }), { code: 'ETIMEDOUT' })) as IpcError
    t.regex(late.hint ?? '', new RegExp(`stopped by a signal or a debugger: ${other.pid}$`))
    const unchanged = (await t.throwsAsync(limit.resize(2), { code: 'EBUSY' })) as IpcError
    t.regex(unchanged.hint ?? '', new RegExp(`process ${other.pid} stopped while it changed the limit`))
    const found = await json<{ text: string; cures: string[] }[]>(t, ['doctor', '--json'])
    const told = found.find(({ text }) => text.startsWith(`${other.pid} sleep is stopped`))
    t.regex(told?.text ?? '', new RegExp(`waits for the limit ${limit.name}, or changes it$`))
    t.is(told?.cures[0], `kill -CONT ${other.pid} continues it`)
    const waiting = limit.acquire({ timeout: 60_000 })
    other.kill('SIGKILL')
    ;(await waiting).release()
    t.is(freeOf(limit), 1)
  },
)

requires(linux, tool('flock', 'util-linux'))(
  'a program that keeps the guard holds up no event loop and no release',
  async t => {
    const limit = ownLedger(t, 2)
    const permit = limit.acquireSync()
    const argv = ['flock', '--no-fork', ledgerOf(limit.name), 'sh', '-c', 'echo locked; exec sleep 60']
    const other = program(t, argv)
    await other.next()
    t.is(limit.tryAcquire(), null)
    await t.throwsAsync(limit.acquire({ timeout: 20 }), { code: 'ETIMEDOUT' })
    t.throws(() => limit.acquireSync({ timeout: 20 }), { code: 'ETIMEDOUT' })
    t.is(freeOf(limit), 1)
    permit.release()
    t.is(freeOf(limit), 2)
    const waiting = limit.acquire({ timeout: 60_000 })
    const stuck = t.throws(() => limit.unlink(), { code: 'EBUSY' }) as IpcError
    t.regex(stuck.hint ?? '', /another program has the lock of its file/)
    await t.throwsAsync(waiting, { code: 'EIDRM' })
    other.kill('SIGKILL')
    await other.exit
    t.throws(() => Limit.open(limit.name), { code: 'ENOENT' })
  },
)

// ---- PID namespaces

const namespaces = [linux, root, tool('unshare', 'util-linux')]
const inNamespace: Surroundings = {
  missing: undefined,
  wrap: argv => ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', '--', ...argv],
}

requires(...namespaces)(
  'a process of another PID namespace is refused while the limit is in use',
  async t => {
    const limit = ownLedger(t, 1)
    const other = remote(t, 'open', limit.name, {}, { within: [inNamespace] })
    const refused = (await other.opened) as { message: string }
    t.like(refused, { code: 'ERR_NOT_SUPPORTED' })
    t.regex(refused.message, /another PID namespace/)
    t.is(limit.permits, 1)
  },
)

requires(...namespaces)('a restarted container makes the limit of its last run anew', async t => {
  const name = uniqueName(t)
  const run = () => remote(t, 'openOrCreate', name, { permits: 2, ...LEDGER }, { within: [inNamespace] })
  const first = run()
  t.like(await first.opened, { created: true })
  t.is(await first.call('acquire'), 1)
  first.child.kill('SIGKILL')
  await first.child.exit
  await until('the last run ends', () => {
    try {
      Limit.open(name).close()
    } catch (error) {
      return (error as IpcError).code === 'ENOENT'
    }
    return false
  })
  const second = run()
  t.like(await second.opened, { created: true })
  t.like(await second.call('info'), { permits: 2, free: 2, holders: [] })
})
