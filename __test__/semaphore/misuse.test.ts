// Misuse throws a TypeError or a RangeError that says what is wrong, before any system call.

import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { ftok, IpcError, Semaphore } from '../../index.js'
import { onEveryBackend, unitsOf } from './helpers/suite.ts'
import { child, program } from '../shared/child.ts'
import { keyOf, uniqueName } from '../shared/names.ts'
import { linux, requires, systemV } from '../shared/requires.ts'
import { complaint, misuses } from './helpers/misuse.ts'
import { injected } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const cases = JSON.parse(readFileSync(new URL('fixtures/fnv-cases.json', import.meta.url), 'utf8'))

onEveryBackend(({ test, create }) => {
  test(`${misuses.length} kinds of misuse are refused, and neither take nor add a unit`, async t => {
    const semaphore = create(t, 2)
    for (const misuse of misuses) t.is(await complaint(misuse, semaphore), undefined)
    t.is(unitsOf(semaphore), 2)
  })
})

requires(linux, injected())('misuse is refused before any system call', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 2 })
  const trace = join(tmpdir(), `os-ipc-misuse-${process.pid}`)
  t.teardown(() => rmSync(trace, { force: true }))
  const other = child(t, 'semaphore/misuse.ts', { args: [name] })
  t.is(await other.next(), 'opened')
  // Only calls from here on count: opening the semaphore before was no misuse.
  const calls = 'semget,semop,semtimedop,semctl,shmget,link,unlink,chmod,fchmod,ftruncate'
  const tracer = program(t, [
    'strace',
    '-f',
    '-qq',
    '-o',
    trace,
    '-e',
    `trace=${calls}`,
    '-p',
    `${other.pid}`,
  ])
  await attached(other.pid)
  other.send('go')
  t.deepEqual(await other.next(), { tried: misuses.length, complaints: [] })
  await other.exit
  await tracer.exit
  t.deepEqual(
    readFileSync(trace, 'utf8')
      .split('\n')
      .filter(line => /\w\(/.test(line)),
    [],
  )
  t.is(semaphore.value, 2)
})

requires(linux)('the name whose key is IPC_PRIVATE is refused', t => {
  for (const name of cases.zero) {
    t.is(keyOf(name), 0)
    for (const use of [
      () => Semaphore.create(name, { initial: 1 }),
      () => Semaphore.open(name),
      () => Semaphore.openOrCreate(name, { initial: 1 }),
      () => Semaphore.unlink(name),
    ]) {
      const error = t.throws(use, { instanceOf: IpcError, code: 'ERR_RESERVED_KEY' })
      t.true(error.message.includes(name))
    }
    using posix = Semaphore.openOrCreate(name, { initial: 1, backend: 'posix' })
    t.true(posix.tryWait())
    posix.unlink()
  }
  for (const zero of [0, -0]) {
    t.throws(() => Semaphore.openOrCreate(zero, { initial: 1 }), { code: 'ERR_RESERVED_KEY' })
  }
})

requires(systemV)('ftok refuses an invalid path and an invalid project number', t => {
  for (const [path, project, code] of [
    [1, 1, 'ERR_INVALID_ARG_TYPE'],
    [undefined, 1, 'ERR_INVALID_ARG_TYPE'],
    [Buffer.from('/'), 1, 'ERR_INVALID_ARG_TYPE'],
    ['/', '1', 'ERR_INVALID_ARG_TYPE'],
    ['/', 1n, 'ERR_INVALID_ARG_TYPE'],
    ['/', undefined, 'ERR_INVALID_ARG_TYPE'],
    ['/', 0, 'ERR_OUT_OF_RANGE'],
    ['/', 256, 'ERR_OUT_OF_RANGE'],
    ['/', 1.5, 'ERR_OUT_OF_RANGE'],
    ['/', Number.NaN, 'ERR_OUT_OF_RANGE'],
    ['/\0', 1, 'ERR_INVALID_ARG_VALUE'],
    ['/\ud800', 1, 'ERR_INVALID_ARG_VALUE'],
    ['/no/such/file', 1, 'ENOENT'],
    ['', 1, 'ENOENT'],
    ['/etc/passwd/x', 1, 'ENOTDIR'],
    ['x'.repeat(300), 1, 'ENAMETOOLONG'],
  ] as const) {
    t.throws(() => ftok(path as string, project as number), { code }, `${code}`)
  }
})

/** Resolves when strace traces all threads of the process. */
async function attached(pid: number): Promise<void> {
  const traced = (thread: string) =>
    !/TracerPid:\t0\n/.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8'))
  await until('strace attaches', () => readdirSync(`/proc/${pid}/task`).every(traced))
}
