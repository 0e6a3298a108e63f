// The errors of locks, provoked for real, and locks beside semaphores.

import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { capabilities, IpcError, list, locks, Semaphore } from '../../index.js'
import { HostLockManager } from '../../lib/lock/manager.js'
import { exists, removeKey } from '../shared/names.ts'
import { hold } from './helpers/hold.ts'
import { holder, lockKeyOf, sysv } from './helpers/locks.ts'
import { linux, requires, root, unixFiles } from '../shared/requires.ts'
import { ctypes, makeSet, valuesOf } from '../shared/sets.ts'
import { asUser, injected, privateIpc } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const nobody = 65_534
const someone = 65_533

/** Two names of locks with one key, and the name of a semaphore that has the key of a lock. */
const COLLISION = ['app.i2dxqv', 'app.1vuxgnk'] as const
const WITH_SEMAPHORE = ['app.6dg5', '/app.fq0'] as const

// --- the set

requires(linux, ctypes)('the set of a lock has the layout of interop.md', async t => {
  const name = sysv.lockName(t)
  const words = recordOf(name)
  const release = await hold(locks, name, { mode: 'shared' })
  const values = valuesOf(lockKeyOf(name))
  t.deepEqual(values.slice(0, words.length), words)
  // The count, and the first slot: taken, one shared lock, no waiter.
  t.deepEqual(values.slice(words.length, words.length + 4), [32_766, 1, 1, 0])
  t.is(values.length, words.length + 1 + 8 * 64)
  await release()
  const alone = await hold(locks, name)
  const [gate] = valuesOf(lockKeyOf(name))
  t.is(gate, 0)
  t.deepEqual(valuesOf(lockKeyOf(name)).slice(words.length, words.length + 4), [0, 2, 0, 0])
  await alone()
})

/** Gate, mark, length, name: written a second time on purpose. */
function recordOf(name: string): number[] {
  const bits = [...Buffer.from(name)].map(byte => byte.toString(2).padStart(8, '0')).join('')
  const words = bits.match(/.{1,15}/g) ?? []
  return [1, 0x4c02, Buffer.byteLength(name), ...words.map(word => Number.parseInt(word.padEnd(15, '0'), 2))]
}

requires(linux, ctypes)('a request finishes a set that its maker left unfinished', async t => {
  const name = sysv.lockName(t)
  makeSet(lockKeyOf(name), recordOf(name).length + 1 + 8 * 64)
  t.is(await locks.request(name, lock => lock?.mode), 'exclusive')
})

requires(linux)('a removal by force ends no wait and no lock with an error', async t => {
  const name = sysv.lockName(t)
  const release = await hold(locks, name)
  const waiting = locks.request(name, { mode: 'shared' }, () => 'granted')
  removeKey(lockKeyOf(name))
  // The waiter has a new lock; the holder of the old one holds nothing any more, and releases nothing twice.
  t.is(await waiting, 'granted')
  const other = await hold(locks, name)
  await release()
  t.is(await locks.request(name, { ifAvailable: true }, lock => lock), null)
  await other()
  t.not(await locks.request(name, { ifAvailable: true }, lock => lock), null)
})

// --- names

requires(linux)('two locks whose names have one key are an error', async t => {
  const [first, second] = COLLISION
  t.is(lockKeyOf(first), lockKeyOf(second))
  t.teardown(() => removeKey(lockKeyOf(first)))
  const release = await hold(locks, first)
  const error = await t.throwsAsync(
    locks.request(second, () => {}),
    { instanceOf: IpcError, code: 'ERR_NAME_COLLISION' },
  )
  t.true(error?.message.includes(`'${first}'`) && error.message.includes(`'${second}'`))
  await release()
})

requires(linux)('a semaphore and a lock whose names have one key are an error', async t => {
  const [lock, semaphore] = WITH_SEMAPHORE
  t.teardown(() => removeKey(lockKeyOf(lock)))
  const code = 'ERR_NAME_COLLISION'
  const release = await hold(locks, lock)
  t.throws(() => Semaphore.open(semaphore), { instanceOf: IpcError, code })
  t.throws(() => Semaphore.openOrCreate(semaphore, { initial: 1 }), { instanceOf: IpcError, code })
  t.throws(() => Semaphore.create(semaphore, { initial: 1 }), { instanceOf: IpcError, code })
  t.throws(() => Semaphore.unlink(semaphore), { instanceOf: IpcError, code })
  t.throws(() => Semaphore.open(lockKeyOf(lock)), { instanceOf: IpcError, code })
  await release()
  removeKey(lockKeyOf(lock))
  using made = Semaphore.create(semaphore, { initial: 1 })
  const error = await t.throwsAsync(
    locks.request(lock, () => {}),
    { instanceOf: IpcError, code },
  )
  t.true(error?.message.includes(`the semaphore '${semaphore}'`))
  t.is(made.value, 1)
  made.unlink()
})

requires(linux, ctypes)('a set of another program with the key of a lock is not used', async t => {
  const name = sysv.lockName(t)
  makeSet(lockKeyOf(name), 1, { setval: 1 })
  await t.throwsAsync(
    locks.request(name, () => {}),
    { instanceOf: IpcError, code: 'ERR_NAME_COLLISION' },
  )
  t.deepEqual(valuesOf(lockKeyOf(name)), [1])
})

requires(linux)('the set of a killed process can be removed by its raw key', async t => {
  // A command of another test may remove an unused set first.
  await until('the set is removed here', async () => {
    const name = sysv.lockName(t)
    const other = holder(t, sysv, name)
    t.is(await other.next(), 'held')
    other.kill('SIGKILL')
    await other.exit
    const removed = Semaphore.unlink(lockKeyOf(name))
    t.false(exists('sem', lockKeyOf(name)))
    return removed
  })
})

// --- list

requires(linux)('list shows a lock among the locks, and not among the semaphores', async t => {
  const name = sysv.lockName(t)
  const release = await hold(locks, name, { mode: 'shared' })
  const other = holder(t, sysv, name, { mode: 'shared' })
  t.is(await other.next(), 'held')
  const writer = holder(t, sysv, name)
  const found = () => list().locks.find(lock => lock.name === name)
  await until('it waits', () => found()?.waiters === 1)
  const lock = found()
  t.like(lock, { key: lockKeyOf(name), exclusive: false, shared: 2, waiters: 1, mode: 0o600 })
  t.is(lock?.uid, process.getuid?.())
  t.true(Math.abs(Date.now() - (lock?.changedAt.getTime() ?? 0)) < 60_000)
  const sorted = (pids: readonly number[] = []) => [...pids].sort((a, b) => a - b)
  t.deepEqual(sorted(lock?.processes), sorted([process.pid, other.pid, writer.pid]))
  t.false(list().semaphores.some(({ key }) => key === lockKeyOf(name)))
  other.send('release')
  await release()
  t.is(await writer.next(), 'held')
  t.like(found(), { exclusive: true, shared: 0, waiters: 0 })
  writer.send('release')
  await writer.exit
})

test('capabilities name the material of locks', t => {
  t.is(capabilities.locks, process.platform === 'linux' ? 'sysv' : 'files')
})

// --- others

requires(asUser(nobody))('a lock of another user is refused, from both sides', async t => {
  const name = sysv.lockName(t)
  const release = await hold(locks, name)
  const stranger = holder(t, sysv, name, {}, { within: [asUser(nobody)] })
  t.like(await stranger.next(), { error: 'IpcError', code: 'EACCES', syscall: 'semget' })
  await release()

  const theirs = sysv.lockName(t)
  const owner = holder(t, sysv, theirs, {}, { within: [asUser(nobody)] })
  t.is(await owner.next(), 'held')
  const error = await t.throwsAsync(
    locks.request(theirs, () => {}),
    { instanceOf: IpcError, code: 'ERR_FOREIGN_OWNER' },
  )
  t.regex(error?.message ?? '', new RegExp(`'${theirs}' belongs to uid ${nobody}`))
  t.regex((error as IpcError).hint ?? '', /the processes of one user/)
})

for (const [what, sem, expected] of [
  ['sets', [32_000, 32_000, 500, 0], { code: 'ENOSPC', syscall: 'semget' }],
  ['semaphores a set', [4, 32_000, 500, 10], { code: 'ERR_NOT_SUPPORTED' }],
  ['operations a call', [32_000, 32_000, 4, 10], { code: 'ERR_NOT_SUPPORTED' }],
] as const) {
  requires(privateIpc())(`where the host allows too few ${what}, the error names the limit`, async t => {
    const other = holder(t, sysv, sysv.lockName(t), {}, { within: [privateIpc({ sem })] })
    t.like(await other.next(), { error: 'IpcError', ...expected })
  })
}

requires(privateIpc())('where a set has no room for the users of a lock, the lock still works', async t => {
  const other = holder(t, sysv, 'a', {}, { within: [privateIpc({ sem: [6, 32_000, 100, 10] })] })
  t.is(await other.next(), 'held')
  other.send('release')
  t.is(await other.next(), 'released')
})

for (const mode of ['shared', 'exclusive'] as const) {
  requires(injected())(
    `a lock whose set is gone at every request is an error, not a hang (${mode})`,
    async t => {
      const name = sysv.lockName(t)
      const release = await hold(locks, name, { mode })
      const other = holder(t, sysv, name, { mode: 'shared' }, { within: [injected('semop:error=EIDRM')] })
      t.like(await other.next(), { error: 'IpcError', code: 'EIDRM', errno: -43, syscall: 'semop' })
      await release()
    },
  )
}

// --- the folder of files

function folderIn(t: ExecutionContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'os-ipc-folder-'))
  t.teardown(() => rmSync(parent, { recursive: true, force: true }))
  return join(parent, 'locks')
}

requires(unixFiles)('the folder of lock files is made for its user alone', async t => {
  const folder = folderIn(t)
  await new HostLockManager(folder).request('a', () => {})
  t.is(lstatSync(folder).mode & 0o777, 0o700)
})

requires(unixFiles)('a folder that others can write to is refused', async t => {
  const folder = folderIn(t)
  mkdirSync(folder)
  chmodSync(folder, 0o777)
  const request = new HostLockManager(folder).request('a', () => {})
  await t.throwsAsync(request, { instanceOf: IpcError, code: 'ERR_FOREIGN_OWNER' })
})

requires(root)('a folder of another user is refused', async t => {
  const folder = folderIn(t)
  mkdirSync(folder, { mode: 0o755 })
  chownSync(folder, someone, someone)
  const request = new HostLockManager(folder).request('a', () => {})
  await t.throwsAsync(request, { instanceOf: IpcError, code: 'ERR_FOREIGN_OWNER' })
})

requires(unixFiles)('a link, or a file, in the place of the folder is refused', async t => {
  for (const plant of [
    (path: string) => symlinkSync('/tmp', path),
    (path: string) => writeFileSync(path, ''),
  ]) {
    const folder = folderIn(t)
    plant(folder)
    const request = new HostLockManager(folder).request('a', () => {})
    await t.throwsAsync(request, { instanceOf: IpcError, code: 'ERR_NOT_AN_OBJECT' })
  }
})

requires(unixFiles)('a link in the place of a lock file is not followed', async t => {
  const folder = folderIn(t)
  const manager = new HostLockManager(folder)
  const target = `${folder}-target`
  mkdirSync(folder, { mode: 0o700 })
  // FNV-1a 64 of 'a'.
  symlinkSync(target, join(folder, 'af63dc4c8601ec8c.gate'))
  const request = manager.request('a', () => {})
  await t.throwsAsync(request, { instanceOf: IpcError, code: 'ELOOP' })
  t.throws(() => lstatSync(target), { code: 'ENOENT' })
})

test('two names with one hash are an error', async t => {
  const folder = folderIn(t)
  const manager = new HostLockManager(folder)
  mkdirSync(folder, { mode: 0o700 })
  writeFileSync(join(folder, 'af63dc4c8601ec8c.lock'), 'another name')
  const request = manager.request('a', () => {})
  await t.throwsAsync(request, { instanceOf: IpcError, code: 'ERR_NAME_COLLISION' })
})
