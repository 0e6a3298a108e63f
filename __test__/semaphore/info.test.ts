// info, list, modes, and the keys of files (ftok).

import { statSync } from 'node:fs'

import { capabilities, ftok, list, Semaphore } from '../../index.js'
import { onEveryBackend } from './helpers/suite.ts'
import { exists, keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { c, python } from '../shared/peers.ts'
import { remote } from './helpers/remote.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, makeSet } from '../shared/sets.ts'
import { asUser } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const onLinux = process.platform === 'linux'

onEveryBackend(({ backend, test, create, open }) => {
  test('info shows what the kernel knows', t => {
    // The kernel's times are seconds of a clock that is up to one tick behind.
    const before = Math.floor((Date.now() - 100) / 1000) * 1000
    const semaphore = create(t, 3, { mode: 0o640 })
    const info = semaphore.info()
    t.like(info, { backend, name: semaphore.name, pending: 0, verified: true, removed: false })
    if (capabilities.value[backend]) t.is(info.value, 3)
    if (!onLinux) return
    t.like(info, { waiters: 0, uid: process.getuid?.(), gid: process.getgid?.(), mode: 0o640 })
    t.true(info.changedAt instanceof Date)
    const changed = Number(info.changedAt)
    t.true(changed >= before && changed <= Date.now())
    if (backend === 'sysv') {
      t.like(info, { key: keyOf(semaphore.name), lastPid: process.pid })
      t.is(typeof info.id, 'number')
      t.true(Number(info.operatedAt) >= before)
    } else {
      t.like(info, { key: undefined, id: undefined, lastPid: undefined, operatedAt: undefined })
    }
  })

  test('info counts the waits of this process, and the threads in the kernel', async t => {
    const semaphore = create(t, 0)
    const waits = [semaphore.wait(), semaphore.wait(), open(t, semaphore.name).wait()]
    t.is(semaphore.info().pending, 3)
    if (onLinux) await until('one thread waits in the kernel', () => semaphore.info().waiters === 1)
    semaphore.post(3)
    await Promise.all(waits)
    t.is(semaphore.info().pending, 0)
  })

  if (backend === 'sysv') {
    test('info names the process that changed the counter last', async t => {
      const semaphore = create(t, 1)
      const other = remote(t, 'open', semaphore.name, { backend })
      await other.call('post')
      t.is(semaphore.info().lastPid, other.child.pid)
    })
  } else {
    test('info shows that the name is gone or belongs to another semaphore', t => {
      const semaphore = create(t, 2)
      Semaphore.unlink(semaphore.name, { backend })
      if (onLinux) t.like(semaphore.info(), { name: semaphore.name, value: 2, removed: true })
      const made = Semaphore.create(semaphore.name, { initial: 5, backend })
      t.teardown(() => made.close())
      t.false(made.info().removed)
      if (onLinux) t.like(semaphore.info(), { value: 2, removed: true })
    })
  }

  if (onLinux) {
    test('list shows the semaphores of the host with their names', t => {
      const semaphore = create(t, 4, { mode: 0o604 })
      const found = list().semaphores.filter(({ name }) => name === semaphore.name)
      t.deepEqual(found, [{ ...semaphore.info() }])
      semaphore.unlink()
      t.false(list().semaphores.some(({ name }) => name === semaphore.name))
    })

    test('an explicit mode holds, whatever the umask', t => {
      const before = process.umask()
      t.teardown(() => process.umask(before))
      for (const umask of [0o022, 0o077, 0o777]) {
        for (const mode of [undefined, 0o600, 0o666, 0o777]) {
          process.umask(umask)
          const semaphore = create(t, 1, { mode })
          process.umask(before)
          t.is(semaphore.info().mode, mode ?? 0o600)
          if (backend === 'posix') {
            t.is(statSync(`/dev/shm/sem.${semaphore.name.slice(1)}`).mode & 0o777, mode ?? 0o600)
          }
        }
      }
    })

    test('a semaphore is not made when its initial value does not fit', t => {
      const name = uniqueName(t)
      const initial = backend === 'posix' && process.platform === 'linux' ? 2 ** 31 : 32_768
      t.throws(() => Semaphore.create(name, { initial, backend }), { code: 'ERR_OUT_OF_RANGE' })
      t.throws(() => open(t, name), { code: 'ENOENT' })
    })

    // The umask of a user who is not root keeps that user out as well.
    requires(asUser(65_534))(
      `an explicit mode holds, whatever the umask of a plain user (${backend})`,
      async t => {
        const name = uniqueName(t)
        const within = [{ missing: undefined, wrap: withUmask }, asUser(65_534)]
        const other = remote(t, 'create', name, { backend, initial: 1, mode: 0o666 }, { within })
        t.like(await other.opened, { created: true })
        using here = Semaphore.open(name, { backend, owner: 65_534 })
        t.like(here.info(), { mode: 0o666, uid: 65_534, value: 1 })
      },
    )
  }
})

function withUmask(argv: readonly string[]): string[] {
  return ['sh', '-c', 'umask 0777; exec "$@"', 'sh', ...argv]
}

requires(linux, ctypes)('list shows sets of other programs, as far as it can read them', t => {
  const key = uniqueKey(t)
  makeSet(key, 2, { operations: [[0, 5]] })
  const found = list().semaphores.find(semaphore => semaphore.key === key)
  t.like(found, { backend: 'sysv', name: undefined, value: 5, verified: false })
})

requires(linux)('list shows a set of a raw key without a name', t => {
  const key = uniqueKey(t)
  using semaphore = Semaphore.create(key, { initial: 5 })
  const found = list().semaphores.find(semaphore => semaphore.key === key)
  t.like(found, { id: semaphore.info().id, name: undefined, value: 5, verified: true })
})

requires(linux, asUser(65_534))('list leaves out semaphores that this user may not read', async t => {
  const name = uniqueName(t)
  const other = remote(t, 'create', name, { initial: 1, mode: 0o600 }, { within: [asUser(65_534)] })
  await other.opened
  const ours = uniqueName(t)
  using _mine = Semaphore.create(ours, { initial: 1 })
  const seen = (await other.call('list')) as string[]
  t.true(seen.includes(name))
  t.false(seen.includes(ours))
})

for (const peer of [c, python]) {
  requires(peer)(`ftok returns the same key as in ${peer.language}`, async t => {
    for (const [path, project] of [
      [import.meta.filename, 1],
      [import.meta.filename, 255],
      ['/', 65],
      ['/proc', 7],
    ] as const) {
      t.is(String(ftok(path, project)), await peer.run(t, 'ftok', path, project))
    }
    t.not(ftok('/', 1), ftok('/', 2))
  })

  requires(peer)(`an ftok key opens the same semaphore as in ${peer.language}`, async t => {
    const key = ftok(import.meta.filename, peer.language === 'c' ? 211 : 212)
    t.teardown(() => exists('sem', key) && Semaphore.unlink(key))
    using semaphore = Semaphore.openOrCreate(key, { initial: 3 })
    t.is(await peer.run(t, 'sem-key', 'try', key), 'ok')
    t.is(semaphore.value, 2)
  })
}
