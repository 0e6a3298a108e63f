// Hosts that lack something: a /dev/shm, the right to call System V IPC, or uids for users.

import { Semaphore, SharedMemory } from '../../index.js'
import { cli, json } from '../cli/helpers/cli.ts'
import { child, program } from '../shared/child.ts'
import { keyOf, removeKey, removeNamed, uniqueKey, uniqueName } from '../shared/names.ts'
import { requires, root, tool } from '../shared/requires.ts'
import {
  asUser,
  refusing,
  type Surroundings,
  SYSTEM_V,
  withoutShm,
  withoutTables,
  withoutUsers,
  withShm,
} from '../shared/surroundings.ts'

interface Answer {
  code?: string
  syscall?: string
  hint?: string
  uid?: number
  limit?: number
  done?: unknown
}

type Answers = Record<string, Answer>

/** A user other than root. */
const someone = asUser(65_533)

/** Makes every call with a name or a key, and returns the result of each. */
async function calls(
  t: Parameters<typeof child>[0],
  within: readonly Surroundings[],
  name = uniqueName(t),
  key = uniqueKey(t),
): Promise<Answers> {
  // Where semctl is refused, no process removes the set of a lock.
  t.teardown(() => removeKey(keyOf(`os-ipc:lock:${name.slice(1)}`)))
  return (await child(t, 'hosts/every-call.ts', { args: [name, key], within }).next()) as Answers
}

const POSIX_CALLS = ['memory', 'semaphore'].flatMap(kind =>
  ['create', 'openOrCreate', 'open', 'remove'].map(method => `${kind} ${method}`),
)

// ---- /proc

requires(withoutTables())('objects are listed without the tables in /proc/sysvipc', async t => {
  const args = [uniqueName(t).slice(1), `${uniqueKey(t)}`]
  const found = await child(t, 'hosts/list-all.ts', { args, within: [withoutTables()] }).next()
  t.deepEqual(found, { limit: true, semaphore: true, segment: true, lock: true })
})

// ---- /dev/shm

for (const [what, place, code, words] of [
  ['missing', withoutShm, 'ENOENT', /no \/dev\/shm.*Lambda.*tmpfs/],
  ['read-only', withShm('mount -t tmpfs -o ro none /dev/shm'), 'EROFS', /\/dev\/shm.*read-only.*tmpfs/],
] as const) {
  requires(place)(`the error names a /dev/shm that is ${what}, and the remedy`, async t => {
    const answers = await calls(t, [place])
    for (const call of POSIX_CALLS) {
      const answer = answers[call]
      if (call.endsWith('remove')) t.deepEqual(answer, { done: false }, call)
      else t.regex(answer?.hint ?? '', words, call)
      if (/reate$/.test(call)) t.is(answer?.code, code, call)
    }
    // System V does not need it.
    t.deepEqual(answers['key create'], { done: true })
    t.deepEqual(answers['sysv openOrCreate'], { done: true })
  })

  requires(place)(`doctor gives the remedy for a /dev/shm that is ${what}`, async t => {
    const found = await json<{ topic: string; level: string; cures: string[] }[]>(t, ['doctor', '--json'], {
      within: [place],
    })
    const shm = found.find(({ topic, level }) => topic === '/dev/shm' && level === 'problem')
    t.true(shm?.cures.some(cure => cure.includes('tmpfs')))
    t.false(shm?.cures.some(cure => cure.includes('chmod')))
  })

  requires(place)(`the command reports that /dev/shm is ${what}`, async t => {
    const name = uniqueName(t)
    const made = await cli(t, ['create', name, '--size', 64], { within: [place] })
    t.is(made.code, 5, made.stderr)
    t.regex(made.stderr, words)
  })
}

for (const [what, options, words] of [
  ['whose mode lets other users make nothing', 'mode=755', /root \(uid 0\) and has mode 755.*chmod 1777/],
  ['whose mode lets other users find nothing', 'mode=1766', /root \(uid 0\) and has mode 1766.*chmod 1777/],
] as const) {
  const place = withShm(`mount -t tmpfs -o ${options} none /dev/shm`)
  requires(place, someone)(`the error names a /dev/shm ${what}`, async t => {
    const answers = await calls(t, [place, someone])
    for (const call of [
      'memory create',
      'memory openOrCreate',
      'semaphore create',
      'semaphore openOrCreate',
    ]) {
      t.regex(answers[call]?.code ?? '', /^(?:EACCES|ENOENT)$/, call)
      t.is(answers[call]?.uid, 0, call)
      t.regex(answers[call]?.hint ?? '', words, call)
    }
  })
}

for (const [what, options] of [
  ['whose files may not be executed', '-t tmpfs -o noexec none'],
  ['that is on a disk', '--bind $(mktemp -d)'],
] as const) {
  const place = withShm(`mount ${options} /dev/shm`)
  requires(place)(`a /dev/shm ${what} is enough`, async t => {
    const answers = await calls(t, [place])
    for (const [call, answer] of Object.entries(answers)) {
      if (!/ (?:create|attach)$/.test(call)) t.true('done' in answer, `${call}: ${JSON.stringify(answer)}`)
    }
  })
}

{
  const place = withShm('mount -t tmpfs -o nr_inodes=2 none /dev/shm && touch /dev/shm/fill')
  requires(place)('the error distinguishes a /dev/shm without free inodes from a full one', async t => {
    const answers = await calls(t, [place])
    for (const call of [
      'memory create',
      'memory openOrCreate',
      'semaphore create',
      'semaphore openOrCreate',
    ]) {
      t.like(answers[call], { code: 'ENOSPC', limit: 2 }, call)
      t.regex(answers[call]?.hint ?? '', /2 inodes.*nr_inodes/, call)
    }
  })
}

requires(tool('prlimit', 'util-linux'))(
  'a limit of file sizes is EFBIG with its value, without a signal',
  async t => {
    for (const [limit, what] of [
      [63, ['memory create', 'memory openOrCreate']],
      [16, ['semaphore create', 'semaphore openOrCreate']],
    ] as const) {
      const argv = [process.execPath, '--disable-warning=ExperimentalWarning']
      const file = new URL('fixtures/every-call.ts', import.meta.url).pathname
      const run = program(t, ['prlimit', `--fsize=${limit}`, ...argv, file, uniqueName(t), `${uniqueKey(t)}`])
      const answers = (await run.next()) as Answers
      for (const call of what) {
        t.like(answers[call], { code: 'EFBIG', limit }, call)
        t.regex(answers[call]?.hint ?? '', new RegExp(`${limit} bytes \\(RLIMIT_FSIZE`), call)
      }
    }
  },
)

// ---- a filter that refuses System V

for (const errno of ['EPERM', 'ENOSYS', 'EACCES'] as const) {
  for (const [what, refused, fails] of [
    ['all of System V', SYSTEM_V, /^(?:key|sysv|list)/],
    ['semtimedop', ['semop', 'semtimedop'], /^sysv (?:create|post|waitSync)/],
    ['all calls that begin with shm', ['shmget', 'shmat', 'shmctl'], /^(?:key|list)/],
    ['semctl', ['semctl'], /^(?:sysv (?!create)|list)/],
  ] as const) {
    const place = refusing(refused, errno)
    requires(place)(`the error names a filter that refuses ${what} with ${errno}`, async t => {
      const [name, key] = [uniqueName(t), uniqueKey(t)]
      using _semaphore = Semaphore.create(name, { initial: 1 })
      using _memory = SharedMemory.create(key, { size: 64 })
      const answers = await calls(t, [place], name, key)
      for (const [call, { code, hint = '', syscall = '' }] of Object.entries(answers)) {
        if (fails.test(call)) {
          t.is(code, errno, call)
          t.regex(hint, /seccomp/, call)
          t.notRegex(hint, /owner/, call)
          t.regex(
            syscall,
            refused.includes('semop' as never) ? /./ : new RegExp(`^(?:${refused.join('|')})$`),
            call,
          )
        } else t.notRegex(hint, /seccomp/, `${call} ${code}`)
      }
    })
  }
}

requires(refusing(['semop'], 'EPERM'))(
  'run takes its permit of a ledger, and doctor reports the filter',
  async t => {
    const [name, within] = [uniqueName(t), [refusing(SYSTEM_V, 'EPERM')]]
    const run = await cli(t, ['run', '--permits', '2', name, '--', 'true'], { within })
    t.is(run.code, 0, run.stderr)
    t.is(run.stderr, '')
    const shown = await json<{ system: string; free: number }[]>(t, ['show', '--json', name], { within })
    t.like([shown].flat()[0], { system: 'ledger', permits: 2, free: 2 })
    const resized = await cli(t, ['limit', name, '3'], { within })
    t.is(resized.code, 0, resized.stderr)
    const found = await json<{ topic: string; level: string; text: string }[]>(t, ['doctor', '--json'], {
      within,
    })
    const told = found.filter(({ topic }) => topic === 'System V')
    t.deepEqual(
      told.map(({ level }) => level),
      ['problem', 'warning'],
    )
    t.regex(told[0]?.text ?? '', /semget \(EPERM\), semop \(EPERM\), semtimedop \(EPERM\), semctl \(EPERM\)/)
    t.false(found.some(({ text }) => text.includes('nothing seems to be left behind')))
  },
)

requires(refusing(['shmget'], 'EPERM'))(
  'show and rm find the objects that a filter does not hide',
  async t => {
    const name = uniqueName(t)
    SharedMemory.create(name, { size: 64 }).close()
    const within = [refusing(SYSTEM_V, 'EPERM')]
    const shown = await cli(t, ['show', name], { within })
    t.is(shown.code, 0, shown.stderr)
    const gone = await cli(t, ['rm', '--memory', name], { within })
    t.is(gone.code, 0, gone.stderr)
    t.false(SharedMemory.unlink(name))
  },
)

// ---- users without a uid

requires(root, withoutUsers)(
  'users that a user namespace does not map are not equal to each other',
  async t => {
    const [name, key] = [uniqueName(t), uniqueKey(t)]
    using _set = Semaphore.create(name, { initial: 1, mode: 0o666 })
    using _file = Semaphore.create(name, { initial: 1, mode: 0o666, backend: 'posix' })
    using _memory = SharedMemory.create(name, { size: 64, mode: 0o666 })
    using _segment = SharedMemory.create(key, { size: 64, mode: 0o666 })
    const answers = await calls(t, [someone, withoutUsers], name, key)
    for (const call of ['sysv', 'semaphore', 'memory', 'key'].flatMap(kind => [
      `${kind} open`,
      `${kind} openOrCreate`,
    ])) {
      t.is(answers[call]?.code, 'ERR_FOREIGN_OWNER', call)
      t.regex(answers[call]?.hint ?? '', /uid_map.*'any'/, call)
      t.deepEqual(answers[`${call} any`], { done: true }, call)
    }
  },
)

// ---- names that other programs chose

for (const [what, rest] of [
  ['251 bytes', 'x'.repeat(251)],
  ['dots', 'a..b'],
] as const) {
  requires(tool('python3'))(`a name of ${what} can be opened and removed, but not made`, async t => {
    const name = `${uniqueName(t)}${rest}`.slice(0, 252)
    const make = program(t, ['python3', '-c', MAKER, name])
    t.teardown(() => removeNamed(name))
    t.is((await make.exit).code, 0)
    t.throws(() => Semaphore.create(name, { initial: 1, backend: 'posix' }), {
      code: 'ERR_INVALID_ARG_VALUE',
    })
    t.throws(() => SharedMemory.openOrCreate(name, { size: 1 }), { code: 'ERR_INVALID_ARG_VALUE' })
    t.is((await cli(t, ['value', '--posix', name])).stdout, '40000\n')
    t.is((await cli(t, ['show', name])).code, 0)
    using semaphore = Semaphore.open(name, { backend: 'posix' })
    t.is(semaphore.value, 40_000)
    using memory = SharedMemory.open(name)
    t.is(memory.size, 64)
    t.is((await cli(t, ['rm', '--force', '--posix', name])).code, 0)
    t.false(Semaphore.unlink(name, { backend: 'posix' }))
    t.true(SharedMemory.unlink(name))
    t.false(Semaphore.unlink(name))
  })
}

/** The same as a program in C does it: sem_open and shm_open with the same name. */
const MAKER = `
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
name = sys.argv[1].encode()
libc.sem_open.restype = ctypes.c_void_p
assert libc.sem_open(name, os.O_CREAT | os.O_EXCL, 0o600, 40000)
memory = libc.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
assert memory >= 0
os.ftruncate(memory, 64)
`
