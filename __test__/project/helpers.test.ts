// The helpers keep their promises, so that a test can rely on them.

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

import test from 'ava'

import { child, program } from '../shared/child.ts'
import { exists, keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { asUser, injected, privateIpc, withTmpfs } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

test('a key is the FNV-1a hash of the name, signed', t => {
  t.is(keyOf(''), 0x811c9dc5 | 0)
  t.is(keyOf('a'), 0xe40c292c | 0)
  t.is(keyOf('foobar'), 0xbf9cf968 | 0)
})

test('names and keys are unique', t => {
  const names = Array.from({ length: 100 }, () => uniqueName(t))
  t.is(new Set(names).size, 100)
  t.is(new Set(Array.from({ length: 100 }, () => uniqueKey(t))).size, 100)
  t.true(names.every(name => /^\/[^/]+$/.test(name) && name.length <= 30))
})

requires(linux, tool('python3'))('a test that fails leaves nothing behind', t => {
  const undo: (() => void)[] = []
  const name = uniqueName({ teardown: fn => undo.push(fn as () => void) })
  const key = uniqueKey({ teardown: fn => undo.push(fn as () => void) })
  const files = [`/dev/shm${name}`, `/dev/shm/sem.${name.slice(1)}`]
  for (const file of files) writeFileSync(file, 'x')
  for (const made of [keyOf(name), key]) makeSegmentAndSet(made)
  t.true(exists('sem', keyOf(name)) && exists('shm', key))

  for (const fn of undo) fn()

  for (const made of [keyOf(name), key]) t.false(exists('sem', made) || exists('shm', made))
  for (const file of files) t.throws(() => readFileSync(file), { code: 'ENOENT' })
})

for (const node of nodes) {
  test(`a fixture and its test exchange messages on Node ${node.major}`, async t => {
    const echo = child(t, 'shared/echo.ts', { node, args: ['a b', 1] })
    t.like(await echo.next(), { major: node.major, pid: echo.pid, args: ['a b', '1'] })
    echo.send({ deep: [1, 2] })
    t.deepEqual(await echo.next(), { deep: [1, 2] })
    echo.send(null)
    t.like(await echo.exit, { code: 0, signal: null, stderr: '' })
  })
}

test('a child that takes too long is killed together with the processes that it started', async t => {
  const stay = child(t, 'shared/stay.ts', { limit: 10_000 })
  const { grandchild } = (await stay.next()) as { grandchild: number }
  await t.throwsAsync(stay.next(), { message: /stay\.ts did not end within 10000 ms/ })
  await t.throwsAsync(stay.exit, { message: /did not end within/ })
  await gone(grandchild)
  t.pass()
})

test('a line that never comes is an error that shows the output', async t => {
  const quick = program(t, ['sh', '-c', 'echo one; echo trouble >&2; exit 3'])
  t.is(await quick.next(), 'one')
  await t.throwsAsync(quick.next(), { message: /exit code 3.*one.*trouble/s })
  t.like(await quick.exit, { code: 3, stdout: 'one\n', stderr: 'trouble\n' })
})

test('a missing program is an error', async t => {
  await t.throwsAsync(program(t, ['no-such-program']).exit, { code: 'ENOENT' })
})

requires(asUser(65534))('a child runs as another user', async t => {
  const echo = child(t, 'shared/echo.ts', { within: [asUser(65534)] })
  t.like(await echo.next(), { uid: 65534, pid: echo.pid })
})

requires(privateIpc(), withTmpfs('64k'))('a child sees its own limits and its own /dev/shm', async t => {
  const within = [privateIpc({ sem: [20, 200, 10, 5], shmmni: 7 }), withTmpfs('64k')]
  const small = child(t, 'shared/limits.ts', { args: [100_000], within })
  t.deepEqual(await small.next(), [20, 200, 10, 5])
  t.like(await small.next(), { code: 'ENOSPC' })
  t.notDeepEqual(
    readFileSync('/proc/sys/kernel/sem', 'utf8').trim().split(/\s+/).map(Number),
    [20, 200, 10, 5],
  )
})

requires(injected())('a system call fails on demand', async t => {
  const rule = 'openat:error=EMFILE:when=1+'
  const cat = program(t, ['cat', '/etc/hostname'], { within: [injected('semop:error=EIDRM', rule)] })
  t.not((await cat.exit).code, 0)
})

requires(injected(), asUser(65534))('a signal arrives at a system call, as another user', async t => {
  const victim = program(t, ['sleep', '5'], {
    within: [asUser(65534), injected('clock_nanosleep:signal=SIGKILL')],
  })
  t.is((await victim.exit).signal, 'SIGKILL')
})

/** The set and the segment with this key, made by the C library. */
function makeSegmentAndSet(key: number): void {
  const script = `import ctypes; c = ctypes.CDLL(None); c.semget(${key}, 1, 0o1600); c.shmget(${key}, 16, 0o1600)`
  spawnSync('python3', ['-c', script])
}

/** Resolves when the process has ended, whether or not its parent has waited for it. */
async function gone(pid: number): Promise<void> {
  await until(`process ${pid} is gone`, () => {
    const state = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()
    return state === '' || state.startsWith('Z')
  })
}
