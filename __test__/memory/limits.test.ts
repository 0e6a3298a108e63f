// Limits: the error names the limit, and no object is left behind.

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test from 'ava'

import { Channel, Semaphore, SharedMemory } from '../../index.js'
import { HostLockManager } from '../../lib/lock/manager.js'
import { child, program } from '../shared/child.ts'
import { kinds } from './helpers/memory.ts'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { injected, privateIpc, withOpenFiles, withTmpfs } from '../shared/surroundings.ts'

interface Failure {
  code: string
  hint: string
  message: string
}

/** What a list had, or the error. */
type Answer = string[] | { code: string; hint: string }

type Names = [memory: string, semaphore: string, channel: string, lock: string]

const create = (id: string | number, size: number) => ['create', JSON.stringify(id), JSON.stringify({ size })]

requires(withTmpfs('1m'))(
  'a full /dev/shm is ENOSPC at create, with the numbers, and leaves no file',
  async t => {
    const call = [process.execPath, new URL('fixtures/call.ts', import.meta.url).pathname]
    // The shell stays in the namespace, to list the leftovers there.
    const script = `"$@" '{"size":1048577}'; "$@" '{"size":1048576}'; ls -A /dev/shm; echo end`
    const argv = ['sh', '-c', script, 'sh', ...call, 'create', JSON.stringify(uniqueName(t))]
    const within = [withTmpfs('1m')]

    const full = program(t, argv, { within })
    const failure = (await full.next()) as Failure
    t.like(failure, { error: 'IpcError', code: 'ENOSPC', syscall: 'fallocate' })
    t.regex(failure.hint, /^\/dev\/shm has 1048576 of 1048576 bytes free.*64 MB.*--shm-size/)
    t.like(await full.next(), { created: true, size: 1_048_576 })
    t.regex(String(await full.next()), /^os-ipc-/)
    t.is(await full.next(), 'end')

    const empty = program(t, argv.with(2, script.replace(/;.*?;/, ';')), { within })
    t.like(await empty.next(), { code: 'ENOSPC' })
    t.is(await empty.next(), 'end', 'the listing is empty')
  },
)

requires(withTmpfs('1m'))('an object cannot take the bytes that another one has reserved', async t => {
  const [first, second] = [uniqueName(t), uniqueName(t)]
  const call = [process.execPath, new URL('fixtures/call.ts', import.meta.url).pathname]
  const script = `"$@" create '"${first}"' '{"size":600000}'; "$@" create '"${second}"' '{"size":600000}'`
  const two = program(t, ['sh', '-c', script, 'sh', ...call], { within: [withTmpfs('1m')] })
  t.like(await two.next(), { created: true })
  t.like(await two.next(), { code: 'ENOSPC' })
})

requires(privateIpc())('too many segments is ENOSPC that names SHMMNI and its value', async t => {
  const fill = child(t, 'memory/fill.ts', { args: [4096, 1000], within: [privateIpc({ shmmni: 3 })] })
  t.is(await fill.next(), 3)
  const failure = (await fill.next()) as Failure
  t.like(failure, { code: 'ENOSPC', syscall: 'shmget' })
  t.regex(failure.hint, /the disk is not full.*SHMMNI.*is 3 and there are 3/)
})

requires(privateIpc())('too many pages is ENOSPC that names SHMALL and its value', async t => {
  const fill = child(t, 'memory/fill.ts', { args: [4096, 1000], within: [privateIpc({ shmall: 5 })] })
  t.is(await fill.next(), 5)
  const failure = (await fill.next()) as Failure
  t.like(failure, { code: 'ENOSPC', syscall: 'shmget' })
  t.regex(failure.hint, /the disk is not full.*SHMALL.*is 5 /)
})

requires(privateIpc())('a segment over SHMMAX is EINVAL that names it and its value', async t => {
  const call = child(t, 'memory/call.ts', {
    args: create(1000, 8193),
    within: [privateIpc({ shmmax: 8192 })],
  })
  const failure = (await call.next()) as Failure
  t.like(failure, { code: 'EINVAL', syscall: 'shmget' })
  t.regex(failure.hint, /SHMMAX.*is 8192/)
})

for (const [call, error] of [
  ['fchmod', 'EPERM'],
  ['ftruncate', 'EFBIG'],
  ['linkat', 'EACCES'],
  ['shmat', 'ENOMEM'],
] as const) {
  requires(injected())(`a create that fails at ${call} leaves nothing`, async t => {
    const id = call === 'shmat' ? uniqueKey(t) : uniqueName(t)
    const made = child(t, 'memory/call.ts', {
      args: create(id, 4096),
      within: [injected(`${call}:error=${error}`)],
    })
    t.like(await made.next(), { code: error, syscall: call })
    t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
  })
}

requires(injected())('fallocate that is interrupted by signals goes on', async t => {
  const name = uniqueName(t)
  const made = child(t, 'memory/call.ts', {
    args: create(name, 200_000_000),
    within: [injected('fallocate:error=EINTR:when=1..3')],
  })
  t.like(await made.next(), { created: true, size: 200_000_000 })
})

requires(injected())('create also works without unnamed files', async t => {
  const name = uniqueName(t)
  const made = child(t, 'memory/call.ts', {
    args: create(name, 4096),
    within: [injected('linkat:error=ENOENT')],
  })
  t.like(await made.next(), { created: true, size: 4096, mode: 0o600 })
  t.is(SharedMemory.open(name).size, 4096)
})

for (const { kind, uniqueId } of kinds) {
  requires(linux, tool('prlimit', 'util-linux'))(
    `a create that cannot be mapped leaves nothing (${kind})`,
    async t => {
      const id = uniqueId(t)
      const made = child(t, 'memory/no-addresses.ts', { args: [JSON.stringify(id)] })
      const failure = (await made.next()) as Failure
      t.like(failure, { error: 'IpcError', code: 'ENOMEM', syscall: kind === 'posix' ? 'mmap' : 'shmat' })
      t.regex(failure.hint, /address space/)
      t.throws(() => SharedMemory.open(id), { code: 'ENOENT' })
    },
  )
}

requires(tool('prlimit', 'util-linux'))('a process out of descriptors gets EMFILE and a hint', async t => {
  const name = uniqueName(t)
  using _memory = SharedMemory.create(name, { size: 1 })
  const script = `
    const { SharedMemory } = require(${JSON.stringify(new URL('../../index.js', import.meta.url).pathname)})
    const open = []
    try { for (;;) open.push(SharedMemory.open(${JSON.stringify(name)})) }
    catch ({ code, hint }) { console.log(JSON.stringify({ code, hint, many: open.length > 10 })) }
    for (const memory of open) memory.close()
    SharedMemory.open(${JSON.stringify(name)})`
  const few = program(t, ['prlimit', '--nofile=64', process.execPath, '-e', script])
  const failure = (await few.next()) as Failure
  t.like(failure, { code: 'EMFILE', many: true })
  t.regex(failure.hint, /descriptor/)
  t.is((await few.exit).code, 0)
})

requires(withOpenFiles(64))(
  'with few file descriptors, a list has every object or throws EMFILE with a hint',
  async t => {
    const [memoryName, semaphoreName, channelName, lock] = [1, 2, 3, 4].map(() => uniqueName(t)) as Names
    using _memory = SharedMemory.create(memoryName, { size: 1 })
    using semaphore = Semaphore.create(semaphoreName, { initial: 1, backend: 'posix' })
    using channel = Channel.create(channelName, { capacity: 4096 })
    t.teardown(() => semaphore.unlink())
    t.teardown(() => channel.unlink())
    const folder = mkdtempSync(join(tmpdir(), 'os-ipc-locks-'))
    t.teardown(() => rmSync(folder, { recursive: true }))
    const released = Promise.withResolvers<void>()
    const locked = new HostLockManager(folder).request(lock, () => released.promise)

    const names = [memoryName, semaphoreName, channelName, lock]
    const args = [folder, ...names]
    const few = child(t, 'memory/list-with-few.ts', { args, within: [withOpenFiles(64)] })
    const seen = new Set<string>()
    for (const free of [50, 0, 1, 2, 3, 4, 5, 6]) {
      few.send(free)
      const { objects, locks } = (await few.next()) as Record<'objects' | 'locks', Answer>
      for (const [answer, all] of [
        [objects, names.slice(0, 3)],
        [locks, names.slice(3)],
      ] as const) {
        seen.add(Array.isArray(answer) ? 'all' : answer.code)
        if (Array.isArray(answer)) t.deepEqual(answer, all, `${free} are free`)
        else {
          t.is(answer.code, 'EMFILE')
          t.regex(answer.hint, /ulimit -n/)
        }
      }
      if (free === 50) t.deepEqual([...seen], ['all'])
    }
    t.deepEqual([...seen].sort(), ['EMFILE', 'all'])
    few.send(null)
    await few.exit
    released.resolve()
    await locked
  },
)

test('a size beyond all memory is refused at once', t => {
  const code = process.platform === 'win32' ? 'ENOMEM' : 'ENOSPC'
  const start = performance.now()
  t.throws(() => SharedMemory.create(uniqueName(t), { size: 2 ** 45 }), { code })
  t.true(performance.now() - start < 15_000)
})
