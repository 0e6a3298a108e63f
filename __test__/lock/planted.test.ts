// Objects planted in the places of locks: sets of another user, and files that are not lock files.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { IpcError, list, locks } from '../../index.js'
import { HostLockManager } from '../../lib/lock/manager.js'
import { child } from '../shared/child.ts'
import { hold } from './helpers/hold.ts'
import { lockKeyOf, sysv } from './helpers/locks.ts'
import { removeKey } from '../shared/names.ts'
import { linux, type Need, requires, root, tool, unixFiles } from '../shared/requires.ts'
import { ctypes, valuesOf } from '../shared/sets.ts'

// --- sets

/** Half of the sets go to root: their maker still controls them. */
const PLANT = `
import ctypes, sys, json, os
os.setgroups([]); os.setresuid(61234, 61234, 61234)
libc = ctypes.CDLL(None, use_errno=True)
words = json.loads(sys.argv[2])
for number in range(int(sys.argv[1])):
    found = libc.semget(0x41440000 + number, len(words), 0o3644)
    assert found >= 0 and libc.semctl(found, 0, 17, (ctypes.c_ushort * len(words))(*words)) == 0
    if number % 2:
        status = (ctypes.c_char * 256)()
        assert libc.semctl(found, 0, 2, status) == 0
        ctypes.c_uint.from_buffer(status, 4).value = 0
        assert libc.semctl(found, 0, 1, status) == 0
`

const COUNT = 60

requires(
  root,
  linux,
  ctypes,
)('sets of another user make no entries, whatever their content and present owner', async t => {
  const name = sysv.lockName(t)
  const words = await locks.request(name, { mode: 'shared' }, () => valuesOf(lockKeyOf(name)))
  words[words.lastIndexOf(32_766)] = 1
  t.teardown(() => {
    for (let number = 0; number < COUNT; number++) removeKey(0x41440000 + number)
  })
  const planted = spawnSync('python3', ['-c', PLANT, `${COUNT}`, JSON.stringify(words)])
  t.is(planted.status, 0, planted.stderr.toString())
  const ours = (all: { name: string }[]) => all.filter(lock => lock.name === name).length
  // For a program that lists all sets, they look like the lock.
  t.is(ours(list().locks.filter(({ mode }) => mode === 0o644)), COUNT)
  const release = await hold(locks, name, { mode: 'shared' })
  const { held, pending } = await locks.query()
  t.deepEqual([ours(held), ours(pending)], [1, 0])
  await release()
})

// --- files

/** FNV-1a 64 of 'a'. */
const HASH = 'af63dc4c8601ec8c'

/** The length of the header before the lock's name in a process's file. */
const TALLY_BYTES = 24

function folderIn(t: ExecutionContext): string {
  const parent = mkdtempSync(join(tmpdir(), 'os-ipc-planted-'))
  // On Windows a lock's file that is still open cannot be removed yet.
  const patient = { maxRetries: 100, retryDelay: 100 }
  t.teardown(() => rmSync(parent, { recursive: true, force: true, ...patient }))
  const folder = join(parent, 'locks')
  mkdirSync(folder, { mode: 0o700 })
  return folder
}

type Plant = (path: string, t: ExecutionContext) => void | Promise<void>

const plants: [kind: string, need: Need, plant: Plant][] = [
  ['a FIFO', tool('mkfifo', 'coreutils'), path => void spawnSync('mkfifo', [path])],
  ['a directory', { missing: undefined }, path => mkdirSync(path)],
  ['a device', root, path => void spawnSync('mknod', [path, 'c', '1', '5'])],
  [
    'a socket',
    linux,
    (path, t) =>
      new Promise(resolve => {
        const server = createServer().listen(path, () => resolve())
        t.teardown(() => server.close())
      }),
  ],
]

for (const [kind, need, plant] of plants) {
  for (const file of ['gate', 'lock']) {
    requires(need)(`${kind} in the place of a lock's ${file} is an error, not a hang`, async t => {
      const folder = folderIn(t)
      await plant(join(folder, `${HASH}.${file}`), t)
      const manager = new HostLockManager(folder)
      for (const options of [{}, { mode: 'shared' }, { ifAvailable: true }] as const) {
        const error = await t.throwsAsync(
          manager.request('a', options, () => {}),
          { instanceOf: IpcError, code: 'ERR_NOT_AN_OBJECT' },
        )
        t.true(error?.message.startsWith(`the file of the lock is ${kind}: `), error?.message)
      }
      t.deepEqual(await manager.query(), { held: [], pending: [] })
    })
  }

  requires(need)(`${kind} in the place of a process's file is ignored`, async t => {
    const folder = folderIn(t)
    await plant(join(folder, `${HASH}.user.${process.pid}.0`), t)
    await plant(join(folder, `${HASH}.user.1.0`), t)
    const manager = new HostLockManager(folder)
    const held = await manager.request('a', async () => (await manager.query()).held)
    t.deepEqual(
      held.map(({ name, pid }) => [name, pid]),
      [['a', process.pid]],
    )
  })
}

test('an endless file in the place of a lock or of a process is not read to its end', async t => {
  const folder = folderIn(t)
  for (const file of [`${HASH}.lock`, `${HASH}.user.1.0`]) {
    writeFileSync(join(folder, file), '')
    truncateSync(join(folder, file), 2 ** 40)
  }
  const manager = new HostLockManager(folder)
  await t.throwsAsync(
    manager.request('a', () => {}),
    { instanceOf: IpcError, code: 'ERR_NOT_AN_OBJECT' },
  )
  t.deepEqual(await manager.query(), { held: [], pending: [] })
})

requires(tool('flock', 'util-linux'))(
  'a file of a live process makes a bounded number of entries',
  async t => {
    const folder = folderIn(t)
    const file = join(folder, `${HASH}.user.1.0`)
    writeFileSync(file, Buffer.concat([Buffer.alloc(TALLY_BYTES, 0xff), Buffer.from('a')]))
    const locked = child(t, 'lock/lock-file.ts', { args: [file] })
    t.is(await locked.next(), 'locked')
    const { held, pending } = await new HostLockManager(folder).query()
    t.true(held.length > 0 && held.length + pending.length <= 4000, `${held.length} and ${pending.length}`)
    locked.kill()
  },
)

requires(unixFiles)('a folder that is a link is refused by query as well', async t => {
  const folder = folderIn(t)
  symlinkSync(tmpdir(), `${folder}-link`)
  const query = new HostLockManager(`${folder}-link`).query()
  await t.throwsAsync(query, { instanceOf: IpcError, code: 'ERR_NOT_AN_OBJECT' })
  t.deepEqual(await new HostLockManager(`${folder}-missing`).query(), { held: [], pending: [] })
})
