// Every refusal of the system, provoked for real, and its error.

import { linkSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'

import test, { type ExecutionContext } from 'ava'

import { IpcError, Semaphore } from '../../index.js'
import { onEveryBackend, unitsOf } from './helpers/suite.ts'
import { child, program } from '../shared/child.ts'
import { exists, keyOf, uniqueName } from '../shared/names.ts'
import { remote } from './helpers/remote.ts'
import { linux, requires, root } from '../shared/requires.ts'
import { ctypes } from '../shared/sets.ts'
import { asUser, injected, privateIpc, withTmpfs } from '../shared/surroundings.ts'

/** Two users that no other process runs as. */
const someone = 65_533
const nobody = 65_534

/** An error of the system as another process reports it. */
function refused(code: keyof typeof constants.errno | 'EIDRM', syscall: string) {
  const errno = code === 'EIDRM' ? -43 : -constants.errno[code as 'EACCES']
  return { error: 'IpcError', code, errno, syscall }
}

// ---- the fields of an error

onEveryBackend(({ backend, test, create, open }) => {
  test('an error of the system looks like one of Node’s', t => {
    const { name } = create(t, 1)
    const error = t.throws(() => Semaphore.create(name, { initial: 1, backend }), { instanceOf: IpcError })
    const syscall = { sysv: 'semget', posix: 'sem_open', windows: 'CreateFileMapping' }[backend]
    t.like(error, {
      name: 'IpcError',
      code: 'EEXIST',
      errno: -constants.errno.EEXIST,
      syscall,
      message: `EEXIST: cannot create the semaphore, ${syscall} '${name}'`,
    })
    // Windows has no uids and modes.
    const owner = backend === 'windows' ? {} : { uid: process.getuid?.(), mode: 0o600 }
    const fields = ['code', 'errno', 'hint', 'syscall', ...Object.keys(owner)]
    t.deepEqual(Object.keys(error as Error).sort(), fields.sort())
    t.like(error, { code: 'EEXIST', ...owner })
    const before = backend === 'windows' ? '' : 'has mode 600: '
    t.regex(error?.hint ?? '', new RegExp(`${before}open it instead \\(\`open\` or \`openOrCreate\`\\)`))
    t.true(String(error).startsWith('IpcError: EEXIST: '))

    const missing = uniqueName(t)
    const opening = backend === 'windows' ? 'OpenFileMapping' : syscall
    t.throws(() => open(t, missing), {
      message: `ENOENT: cannot open the semaphore, ${opening} '${missing}'`,
      code: 'ENOENT',
    })
  })

  test('an error of this package has no errno', t => {
    const semaphore = create(t, 1)
    semaphore.close()
    const error = t.throws(() => semaphore.post(), { instanceOf: IpcError })
    t.deepEqual(Object.keys(error as Error), ['code'])
    t.is(error?.message, `the semaphore '${semaphore.name}' is closed`)
  })

  // ---- owners

  requires(asUser(nobody))(
    `a semaphore that the mode closes to this user is EACCES (${backend})`,
    async t => {
      const { name } = create(t, 1, { mode: 0o600 })
      const within = [asUser(nobody)]
      const syscall = backend === 'sysv' ? 'semget' : 'sem_open'
      const message = `EACCES: no permission to read and change the semaphore, ${syscall} '${name}'`
      for (const method of ['open', 'openOrCreate'] as const) {
        const options = method === 'open' ? { backend } : { backend, initial: 1 }
        const other = remote(t, method, name, options, { within })
        const answer = (await other.opened) as { hint: string }
        t.like(answer, { ...refused('EACCES', syscall), message, uid: 0, mode: 0o600 })
        t.regex(
          answer.hint,
          /root \(uid 0\) and has mode 600; this process runs as uid 65534: .*\(`mode: 0o660`\)/,
        )
      }
    },
  )

  for (const mode of [0o604, 0o602]) {
    requires(asUser(nobody))(
      `with mode ${mode.toString(8)} open throws for another user (${backend})`,
      async t => {
        const { name } = create(t, 1, { mode })
        const other = remote(t, 'open', name, { backend }, { within: [asUser(nobody)] })
        t.like(await other.opened, { code: 'EACCES' })
      },
    )
  }

  requires(asUser(nobody))(
    `every user uses a semaphore that root made with mode 666 (${backend})`,
    async t => {
      const semaphore = create(t, 1, { mode: 0o666 })
      const other = remote(t, 'open', semaphore.name, { backend }, { within: [asUser(nobody)] })
      t.like(await other.opened, { created: false })
      t.is(await other.call('post'), 'done')
      t.is(unitsOf(semaphore), 2)
    },
  )

  requires(asUser(nobody), asUser(someone))(
    `the semaphore of another user is refused unless its owner is named (${backend})`,
    async t => {
      const name = uniqueName(t)
      const stranger = remote(
        t,
        'create',
        name,
        { backend, initial: 5, mode: 0o666 },
        { within: [asUser(nobody)] },
      )
      t.like(await stranger.opened, { created: true })
      const options = { backend, initial: 1 }
      for (const use of [
        () => Semaphore.open(name, { backend }),
        () => Semaphore.openOrCreate(name, options),
        () => Semaphore.open(name, { backend, owner: someone }),
        () => Semaphore.openOrCreate(name, { ...options, owner: 0 }),
      ]) {
        const error = t.throws(use, { instanceOf: IpcError, code: 'ERR_FOREIGN_OWNER' }, String(use))
        t.true(error.message.includes(`'${name}'`) && error.message.includes(`uid ${nobody}`))
        t.true((error as IpcError).hint?.includes(`owner: ${nobody}`))
      }
      for (const owner of [nobody, 'any'] as const) {
        Semaphore.open(name, { backend, owner }).close()
        using same = Semaphore.openOrCreate(name, { ...options, owner })
        t.is(unitsOf(same), 5)
      }
      const other = remote(t, 'open', name, { backend }, { within: [asUser(someone)] })
      t.like(await other.opened, { code: 'ERR_FOREIGN_OWNER' })
      const trusting = remote(t, 'open', name, { backend, owner: 'any' }, { within: [asUser(someone)] })
      t.like(await trusting.opened, { created: false })
    },
  )

  requires(asUser(nobody))(
    `a user cannot remove the semaphore of another user, and a second try fails the same way (${backend})`,
    async t => {
      const semaphore = create(t, 1, { mode: 0o666 })
      const within = [asUser(nobody)]
      // sem_unlink(3) fails with EACCES for a file of another user in a sticky directory.
      const error =
        backend === 'sysv' ? refused('EPERM', 'semctl') : { error: 'IpcError', syscall: 'sem_unlink' }
      const other = remote(t, 'open', semaphore.name, { backend }, { within })
      t.like(await other.call('unlink'), error)
      t.regex(
        ((await other.call('unlink')) as { hint: string }).hint,
        /root \(uid 0\).*only its owner and root/,
      )
      t.like(await other.call('unlink'), error)
      t.is(await other.call('tryWait'), true)
      const byName = remote(t, 'unlink', semaphore.name, { backend }, { within })
      t.like(await byName.opened, error)
      t.is(unitsOf(semaphore), 0)
    },
  )
})

requires(
  linux,
  root,
  ctypes,
)('the creator of a set counts as well as its owner', async t => {
  const name = uniqueName(t)
  // The user nobody made the set and gave it to root (IPC_SET), whom every process trusts.
  const script = `
import ctypes, os
libc = ctypes.CDLL(None)
if os.fork() == 0:
    os.setresuid(${nobody}, ${nobody}, ${nobody})
    os._exit(libc.semctl(libc.semget(${keyOf(name)}, 1, 0o3666), 0, 16, 1) & 1)
os.wait()
about = ctypes.create_string_buffer(256)
made = libc.semget(${keyOf(name)}, 0, 0)
assert libc.semctl(made, 0, 2, about) == 0
about[4:8] = bytes(4)
assert libc.semctl(made, 0, 1, about) == 0
`
  const { code, stderr } = await program(t, ['python3', '-c', script]).exit
  t.is(code, 0, stderr)
  t.throws(() => Semaphore.open(name), { code: 'ERR_FOREIGN_OWNER' })
  using semaphore = Semaphore.open(name, { owner: nobody })
  t.like(semaphore.info(), { uid: 0, value: 1 })
})

// ---- limits of System V

const hintOf = (answer: unknown) => (answer as { hint?: string }).hint ?? ''

for (const [limit, sem] of [
  ['sets', [250, 32_000, 100, 1]],
  ['semaphores', [250, 28, 100, 10]],
] as const) {
  requires(privateIpc())(`the hint of ENOSPC says that ${limit} are used up, not the disk`, async t => {
    const name = uniqueName(t)
    const other = child(t, 'semaphore/use-up-sets.ts', { args: [name], within: [privateIpc({ sem })] })
    for (const _ of ['create', 'openOrCreate']) {
      const answer = await other.next()
      const message = `ENOSPC: cannot create the semaphore, semget '${name}x'`
      t.like(answer, { ...refused('ENOSPC', 'semget'), message })
      t.true(hintOf(answer).includes('the disk is not full'))
      t.true(hintOf(answer).includes(`${sem[3]} sets (SEMMNI) with ${sem[1]} semaphores (SEMMNS)`))
    }
  })
}

for (const [limit, sem] of [
  ['SEMMSL', [4, 32_000, 500, 100]],
  ['SEMOPM', [250, 32_000, 4, 100]],
] as const) {
  requires(privateIpc())(
    `where ${limit} is too small for the name, the set has one semaphore, and a warning says so`,
    async t => {
      const name = uniqueName(t)
      const other = child(t, 'semaphore/small-limits.ts', { args: [name], within: [privateIpc({ sem })] })
      for (const _ of [0, 1]) {
        t.deepEqual(await other.next(), [true, false, false, 0])
        t.deepEqual(await other.next(), [0, name])
        t.is(await other.next(), true)
      }
      t.deepEqual(await other.next(), [true, 3])
      t.like(await other.next(), refused('EEXIST', 'semget'))
      t.deepEqual(await other.next(), [3, true])
      const warnings = (await other.next()) as { code: string; message: string }[]
      t.is(warnings.length, 3)
      for (const { code, message } of warnings) {
        t.is(code, 'OS_IPC_UNVERIFIED')
        t.true(message.includes(name) && message.includes(limit))
      }
    },
  )
}

// ---- the kernel refuses

for (const [rule, syscall] of [
  ['semget:error=ENOSYS', 'semget'],
  ['semget:error=ENOMEM', 'semget'],
  ['semop:error=ENOMEM', 'semop'],
  ['semop:error=E2BIG', 'semop'],
] as const) {
  requires(injected())(`${rule} throws, and leaves nothing behind`, async t => {
    const name = uniqueName(t)
    const code = rule.slice(rule.indexOf('=') + 1) as 'ENOMEM'
    const options = { initial: 1 }
    for (const method of ['create', 'openOrCreate'] as const) {
      const other = remote(t, method, name, options, { within: [injected(rule)] })
      t.like(await other.opened, refused(code, syscall))
      t.false(exists('sem', keyOf(name)))
    }
  })
}

requires(injected())(
  'a POSIX semaphore whose mode cannot be set throws, and leaves nothing behind',
  async t => {
    const name = uniqueName(t)
    // The umask clears bits of the mode, so that the package has to set it again.
    const options = { initial: 1, mode: 0o666, backend: 'posix' }
    for (const method of ['create', 'openOrCreate'] as const) {
      const other = remote(t, method, name, options, { within: [injected('chmod:error=EPERM')] })
      t.like(await other.opened, refused('EPERM', 'chmod'))
      t.throws(() => Semaphore.open(name, { backend: 'posix' }), { code: 'ENOENT' })
    }
  },
)

requires(asUser(nobody))(
  'a mode that shuts out the creator itself throws and leaves nothing behind',
  async t => {
    const name = uniqueName(t)
    const other = remote(t, 'create', name, { initial: 1, mode: 0o400 }, { within: [asUser(nobody)] })
    t.like(await other.opened, refused('EACCES', 'semop'))
    t.false(exists('sem', keyOf(name)))
  },
)

requires(injected())('EINTR never reaches the caller, whichever system call it interrupts', async t => {
  const within = [injected('semop:error=EINTR:when=1..3', 'semctl:error=EINTR:when=1..3')]
  for (const backend of ['sysv', 'posix'] as const) {
    const name = uniqueName(t)
    const other = remote(t, 'openOrCreate', name, { initial: 2, backend }, { within })
    t.like(await other.opened, { created: true })
    t.is(await other.call('tryWait'), true)
    t.is(await other.call('value'), 1)
    t.is(await other.call('unlink'), 'done')
  }
})

for (const [call, args, rest] of [
  ['post', [2], 3],
  ['tryWait', [], 0],
  ['wait', [], 0],
  ['waitSync', [], 0],
  ['waitSync', [{ timeout: 15_000 }], 0],
] as const) {
  requires(injected())(`EINTR never reaches the caller of ${call}(${args.length ? '...' : ''})`, async t => {
    const name = uniqueName(t)
    using semaphore = Semaphore.create(name, { initial: 1 })
    const within = [injected('semop:error=EINTR:when=1..3')]
    const other = remote(t, 'open', name, {}, { within })
    const answer = await other.call(call, ...args)
    t.false(typeof answer === 'object', JSON.stringify(answer))
    t.is(semaphore.value, rest)
  })
}

requires(injected())('EINTR never reaches the caller of a wait in the kernel or of a post', async t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0 })
  const within = [injected('semop:error=EINTR:when=2..5')]
  const other = remote(t, 'open', name, {}, { within })
  const waiting = other.call('wait', { timeout: 15_000 })
  await other.opened
  semaphore.post()
  t.is(await waiting, 'done')
  t.is(await other.call('post'), 'done')
  t.is(semaphore.value, 1)
})

// ---- POSIX: the file of the name is not a semaphore

const file = (name: string) => `/dev/shm/sem.${name.slice(1)}`

for (const [what, plant] of [
  ['a symbolic link', (path, t) => symlinkSync(target(t), path)],
  ['a dangling symbolic link', path => symlinkSync('/nowhere', path)],
  ['a hard link', (path, t) => linkSync(target(t), path)],
  ['a FIFO', (path, t) => program(t, ['mkfifo', path]).exit],
  ['a directory', path => mkdirSync(path)],
  ['an empty file', path => writeFileSync(path, '')],
  ['a file too short', path => writeFileSync(path, Buffer.alloc(31))],
] as const satisfies readonly [string, (path: string, t: ExecutionContext) => unknown][]) {
  requires(linux)(`${what} that was planted is refused`, async t => {
    const name = uniqueName(t)
    t.teardown(() => rmSync(file(name), { recursive: true, force: true }))
    await plant(file(name), t)
    const expected = { instanceOf: IpcError, code: 'ERR_NOT_AN_OBJECT' } as const
    for (const use of [
      () => Semaphore.open(name, { backend: 'posix' }),
      () => Semaphore.open(name, { backend: 'posix', owner: 'any' }),
      () => Semaphore.openOrCreate(name, { initial: 1, backend: 'posix' }),
    ]) {
      const error = t.throws(use, expected, String(use))
      t.true(error.message.includes(file(name)), error.message)
    }
    t.throws(() => Semaphore.create(name, { initial: 1, backend: 'posix' }), { code: 'EEXIST' })
  })
}

requires(linux)('the target of a planted link stays unchanged', t => {
  const name = uniqueName(t)
  const victim = target(t)
  symlinkSync(victim, file(name))
  t.throws(() => Semaphore.openOrCreate(name, { initial: 1, backend: 'posix' }))
  t.true(Semaphore.unlink(name, { backend: 'posix' }))
  t.notThrows(() => linkSync(victim, `${victim}-still-there`))
  rmSync(`${victim}-still-there`)
})

requires(linux)('a post to a full POSIX semaphore adds nothing', t => {
  const name = uniqueName(t)
  using semaphore = Semaphore.create(name, { initial: 0, backend: 'posix' })
  const limit = 2 ** 31 - 1
  writeFileSync(file(name), new Uint8Array(new Uint32Array([limit - 1]).buffer), { flag: 'r+' })
  const full = t.throws(() => semaphore.post(2), { instanceOf: IpcError, code: 'EOVERFLOW' })
  t.like(full, { errno: -constants.errno.EOVERFLOW, syscall: 'sem_post' })
  t.is(semaphore.value, limit - 1)
  semaphore.post()
  for (const count of [1, 7]) t.throws(() => semaphore.post(count), { code: 'EOVERFLOW' })
  t.is(semaphore.value, limit)
})

requires(linux)('the hint names the other backend that has a semaphore of this name', t => {
  const name = uniqueName(t)
  for (const [made, asked] of [
    ['sysv', 'posix'],
    ['posix', 'sysv'],
  ] as const) {
    Semaphore.create(name, { initial: 1, backend: made }).close()
    const error = t.throws(() => Semaphore.open(name, { backend: asked }), { code: 'ENOENT' })
    t.true((error as IpcError).hint?.includes(`backend: '${made}'`))
    Semaphore.unlink(name, { backend: made })
  }
})

test('a timeout has a hint', async t => {
  using semaphore = Semaphore.create(uniqueName(t), { initial: 0 })
  for (const timeout of [0, 5]) {
    const error = await t.throwsAsync(semaphore.wait({ timeout }), { code: 'ETIMEDOUT' })
    t.regex((error as IpcError).hint ?? '', /os-ipc show/)
  }
})

requires(withTmpfs('4k'))('a full /dev/shm throws an error that says what to do', async t => {
  const other = child(t, 'semaphore/full-disk.ts', { within: [withTmpfs('4k')] })
  const answer = await other.next()
  t.like(answer, refused('ENOSPC', 'sem_open'))
  t.true(hintOf(answer).includes('/dev/shm is full'))
  t.deepEqual(await other.next(), ['full'])
})

/** A file that an attacker wants this process to write into. */
function target(t: ExecutionContext): string {
  const path = `/dev/shm${uniqueName(t)}`
  writeFileSync(path, Buffer.alloc(64))
  return path
}
