// The commands that make, use, show and remove objects, with real processes, and the mistakes of new users.

import { spawn } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import test from 'ava'

import { hexDump } from '../../cli/core/hex.js'
import { Channel, Limit, Semaphore, SharedMemory } from '../../index.js'
import {
  cli,
  cliWith,
  freeOf,
  inTerminal,
  json,
  OS_IPC,
  osIpc,
  shell,
  start,
  terminals,
} from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { folder } from '../shared/project.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, makeSet } from '../shared/sets.ts'
import { asUser, privateIpc, withTmpfs } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

const DONE = { code: 0, stderr: '' }

/** The fields of `--json` that the tests read. */
interface Item {
  type: string
  system: string
  name: string | null
  key: number | null
  id: number | null
  value: number | null
  waiters: number | null
  size: number | null
  attached: number | null
  lastPid: number | null
  lastPidAlive: boolean | null
  mode: string
  owner: string
  changedAt: string
}

const FIELDS = [
  ...[
    'type',
    'system',
    'name',
    'key',
    'id',
    'value',
    'permits',
    'free',
    'holders',
    'unnamed',
    'waiters',
    'size',
    'attached',
    'exclusive',
    'shared',
    'processes',
    'capacity',
    'bytes',
    'messages',
    'sent',
    'received',
    'codec',
    'senders',
    'receivers',
    'ended',
    'uid',
    'owner',
    'gid',
    'mode',
  ],
  ...['lastPid', 'lastPidAlive', 'creatorPid', 'creatorAlive'],
  ...['createdAt', 'changedAt', 'operatedAt', 'attachedAt', 'detachedAt', 'verified', 'removed'],
]

/** The pid of a process that has ended. */
async function deadPid(t: Parameters<typeof cli>[0], name: string): Promise<number> {
  const made = start(t, ['create', name, '-n', 3])
  await made.exit
  return made.pid
}

// --- semaphores

test('create, post, value, wait and try do the same as in the library', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['create', name.slice(1), '--initial', 1, '--mode', '640']), { ...DONE, stdout: '' })
  const semaphore = Semaphore.open(name)
  t.is(semaphore.info().mode, 0o640)
  t.like(await cli(t, ['post', name, '-n', 2]), { ...DONE, stdout: '' })
  t.is(semaphore.value, 3)
  t.like(await cli(t, ['value', name]), { ...DONE, stdout: '3\n' })
  t.like(await cli(t, ['wait', name]), { ...DONE, stdout: '' })
  t.like(await cli(t, ['try', name]), { ...DONE, stdout: '' })
  t.is(semaphore.value, 1)
  t.is((await cli(t, ['try', name])).code, 0)
  t.like(await cli(t, ['try', name]), { code: 1, stdout: '', stderr: '' })
  semaphore.unlink()
})

test('wait sleeps until another process posts', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const waiting = start(t, ['wait', name, '--timeout', '60'])
  await until('it waits', () => semaphore.info().waiters === 1)
  t.is((await json<Item>(t, ['value', name, '--json'])).waiters, 1)
  t.like(await cli(t, ['post', name]), DONE)
  t.like(await waiting.exit, { ...DONE, stdout: '' })
  t.is(semaphore.value, 0)
})

test('wait gives up with 124', async t => {
  const name = uniqueName(t)
  Semaphore.create(name, { initial: 0 })
  for (const [timeout, seconds] of [
    ['0', '0'],
    ['100ms', '0.1'],
  ]) {
    const { code, stdout, stderr } = await cli(t, ['wait', name, '-t', timeout as string])
    t.is(stderr, `os-ipc: no unit of ${name} came within ${seconds} s\n`)
    t.like({ code, stdout }, { code: 124, stdout: '' })
  }
})

test('a wait fails with a message when its semaphore is removed', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const waiting = start(t, ['wait', name])
  await until('it waits', () => semaphore.info().waiters === 1)
  t.like(await cli(t, ['rm', '--force', name]), DONE)
  const { code, stderr } = await waiting.exit
  t.is(code, 5)
  t.regex(stderr, new RegExp(`^os-ipc: the semaphore ${name} was removed; [^\\n]+\\n$`))
})

test('a signal ends a wait, and its unit is not lost', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const waiting = start(t, ['wait', name])
  await until('it waits', () => semaphore.info().waiters === 1)
  waiting.kill('SIGINT')
  t.is((await waiting.exit).signal, 'SIGINT')
  semaphore.post()
  t.is(semaphore.value, 1)
})

test('post past the limit says that nothing was added', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 32_767 })
  t.like(await cli(t, ['post', name]), {
    code: 5,
    stderr: `os-ipc: the counter of ${name} would pass its limit, 32767; nothing was added\n`,
  })
  t.is(semaphore.value, 32_767)
})

requires(linux)('the POSIX semaphore and the System V semaphore of one name are two semaphores', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['create', name, '-n', 1]), DONE)
  t.regex(
    (await cli(t, ['value', name, '--posix'])).stderr,
    /no POSIX semaphore .*; System V has a semaphore of this name: leave --posix out\n/,
  )
  t.like(await cli(t, ['create', name, '-n', 2, '--posix']), DONE)
  t.like(await cli(t, ['post', name, '--posix']), DONE)
  t.is((await cli(t, ['value', name, '--posix'])).stdout, '3\n')
  t.is((await cli(t, ['value', name])).stdout, '1\n')
  t.like(await cli(t, ['rm', name]), {
    code: 2,
    stderr: `os-ipc: a semaphore and a POSIX semaphore are called ${name}; say which: --semaphore, --posix, --limit, --memory, --channel or --lock\n`,
  })
  t.like(await cli(t, ['rm', '--posix', name]), DONE)
  t.regex((await cli(t, ['value', name, '--posix'])).stderr, /no POSIX semaphore/)
  t.like(await cli(t, ['rm', name]), DONE)
})

test('create of an existing semaphore names the alternatives, and --if-absent leaves it unchanged', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['create', name, '-n', 1]), DONE)
  t.like(await cli(t, ['create', name, '-n', 9]), {
    code: 5,
    stderr: `os-ipc: there is a semaphore ${name} already; --if-absent uses it unchanged; os-ipc rm ${name} removes it\n`,
  })
  const created = await json<Item & { created: boolean }>(t, [
    'create',
    name,
    '-n',
    9,
    '--if-absent',
    '--json',
  ])
  t.like(created, { value: 1, created: false, name })
  t.deepEqual(Object.keys(created).sort(), [...FIELDS, 'created'].sort())
  t.like(await cli(t, ['create', name, '--size', 16]), DONE)
  t.regex((await cli(t, ['create', name, '--size', 32, '--if-absent'])).stderr, /^os-ipc: [^\n]*16[^\n]*\n$/)
})

test('a number is a raw key, and a name of digits needs its slash', async t => {
  const key = uniqueKey(t)
  t.like(await cli(t, ['create', `0x${(key >>> 0).toString(16)}`, '-n', 4]), DONE)
  t.is(Semaphore.open(key).value, 4)
  t.is((await cli(t, ['value', `${key >>> 0}`])).stdout, '4\n')
  t.regex((await cli(t, ['value', `/${key >>> 0}`])).stderr, /there is no semaphore \//)
  t.like(await cli(t, ['rm', `${key >>> 0}`]), DONE)
})

// --- memory

test('write copies standard input, and read copies it back', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['create', name, '--size', '1k']), DONE)
  t.like(await cliWith(t, 'hello, memory', ['write', name]), { ...DONE, stdout: '' })
  t.like(await cli(t, ['write', name, '--offset', 7, 'MEM']), DONE)
  t.is((await cli(t, ['read', name, '--length', 13])).stdout.trimEnd(), 'hello, MEMory')
  t.is((await cli(t, ['read', name, '-o', 7, '-l', 3])).stdout.trimEnd(), 'MEM')
  t.like(await cli(t, ['write', name, '--clear', 'x']), DONE)
  t.deepEqual(SharedMemory.open(name).toBuffer(0, 4), Buffer.from('x\0\0\0'))
})

test('megabytes go through a pipe unchanged', async t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 5 * 1024 * 1024 + 3 })
  memory.write(Buffer.alloc(memory.size, 'abcdefg'))
  const copy = uniqueName(t, '-b')
  t.like(await shell(t, `set -o pipefail; os-ipc read ${name} | os-ipc write --create ${copy}`), DONE)
  t.true(SharedMemory.open(copy).toBuffer().equals(memory.toBuffer()))
})

test('input that does not fit is an error, and nothing is written', async t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 4 })
  t.like(await cliWith(t, 'too long', ['write', name]), {
    code: 5,
    stderr: `os-ipc: the input does not fit: ${name} has 4 bytes, 4 of them from 0 on; nothing was written\n`,
  })
  t.like(await cli(t, ['write', name, 'abc', '--offset', 2]), { code: 5 })
  t.deepEqual(memory.toBuffer(), Buffer.alloc(4))
  t.like(await cli(t, ['read', name, '-o', 2, '-l', 3]), {
    code: 2,
    stderr: `os-ipc: ${name} has 4 bytes: there are no 3 from 2 on\n`,
  })
})

test('what write --create created goes again if nothing was written', async t => {
  const name = uniqueName(t)
  const without = { code: 3, stdout: '' }
  t.like(await cli(t, ['write', name, 'too long', '--create', '--size', 4]), { code: 5 })
  t.like(await cli(t, ['read', name]), without)
  const memory = SharedMemory.create(name, { size: 4 })
  t.like(await cli(t, ['write', name, 'too long', '--create', '--size', 4]), { code: 5 })
  t.is(SharedMemory.open(name).size, memory.size)
})

requires(linux)('standard input that is a folder is an error, and not an empty input', async t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 4 })
  memory.write('kept')
  const other = uniqueName(t)
  // send creates the channel before it reads.
  t.teardown(() => Channel.unlink(other))
  for (const line of [`write ${name} --clear`, `write ${other} --create`, `send ${other} --create`]) {
    const { code, stderr } = await shell(t, `os-ipc ${line} < /`)
    t.is(code, 5, line)
    t.regex(stderr, /EISDIR/, line)
  }
  t.is(memory.toBuffer().toString(), 'kept')
  t.is((await cli(t, ['read', other])).code, 3)
})

test('an offset behind the end of memory and memory that is too small are refused', async t => {
  const name = uniqueName(t)
  SharedMemory.create(name, { size: 4 })
  t.like(await cli(t, ['read', name, '--offset', 5]), {
    code: 2,
    stderr: `os-ipc: ${name} has 4 bytes: it ends before 5\n`,
  })
  t.regex((await cli(t, ['show', name, '--offset', 5])).stdout, /\n {2}the memory ends before position 4\n$/)
  t.like(await cli(t, ['create', name, '--size', 9, '--if-absent']), {
    code: 5,
    stderr: `os-ipc: the shared memory '${name}' has 4 bytes, fewer than the 9 asked for; os-ipc rm ${name} removes it\n`,
  })
})

test('write --create makes missing memory, and uses existing memory', async t => {
  const name = uniqueName(t)
  t.like(await cli(t, ['write', name, 'four', '--create', '--mode', '644']), DONE)
  t.like(SharedMemory.open(name).info(), { size: 4, mode: 0o644 })
  t.like(await cli(t, ['write', name, 'two', '--create', '--size', '4k']), DONE)
  const memory = SharedMemory.open(name)
  t.is(memory.toBuffer().toString(), 'twor')
  t.regex((await cli(t, ['write', name, 'x', '--size', '4'])).stderr, /--size needs --create/)
})

test('a System V segment without a key is named by its id', async t => {
  const key = uniqueKey(t)
  const memory = SharedMemory.create(key, { size: 16 })
  const { id } = memory
  memory.write('by its id')
  t.is((await cli(t, ['read', `id:${id}`, '-l', 9])).stdout.trimEnd(), 'by its id')
  const refused = await cli(t, ['rm', `id:${id}`])
  t.is(refused.code, 1)
  t.regex(
    refused.stderr,
    new RegExp(`^os-ipc: id:${id} is in use: it is attached \\d times?; --force removes it\\n$`),
  )
  memory.close()
  t.like(await cli(t, ['rm', `id:${id}`]), DONE)
  t.like(await cli(t, ['rm', `id:${id}`]), { code: 3 })
})

// --- ls and show

test('ls shows names, kinds, values, waiters, sizes and the dead', async t => {
  const tag = uniqueName(t)
  const [jobs, frames] = [uniqueName(t, '-s'), uniqueName(t, '-m')]
  const pid = await deadPid(t, jobs)
  SharedMemory.create(frames, { size: 3 * 1024 * 1024, mode: 0o644 })
  const { stdout } = await cli(t, ['ls', jobs, frames])
  const [titles, ...rows] = stdout.trimEnd().split('\n')
  t.regex(
    titles as string,
    /^KIND +NAME +ID +VALUE +WAITERS +HOLDERS +SIZE +ATTACHED +OWNER +MODE +LAST PID +AGE$/,
  )
  t.is(rows.length, 2)
  t.regex(
    rows[0] as string,
    new RegExp(`^semaphore +${jobs} +\\d+ +3 +0 +- +- +- +\\w+ +600 +${pid} dead +\\d+s$`),
  )
  t.regex(rows[1] as string, new RegExp(`^memory +${frames} +posix +- +- +- +3 M +- +\\w+ +644 +- +\\d+s$`))
  t.is((await cli(t, ['ls', '--names', `${jobs.slice(1, -1)}?`])).stdout, `${jobs}\n`)
  t.is((await cli(t, ['ls', '-q', '-m', `*${frames.slice(5)}`])).stdout, `${frames}\n`)
  t.is((await cli(t, ['ls', '-q', '-s', frames])).stdout, '')
  t.is((await cli(t, ['ls', '-q', tag])).stdout, '')
})

test('ls --json has every field, and nothing that is not documented', async t => {
  const name = uniqueName(t)
  const pid = await deadPid(t, name)
  SharedMemory.create(name, { size: 10 })
  const items = await json<Item[]>(t, ['ls', name, '--json'])
  t.is(items.length, 2)
  for (const item of items) t.deepEqual(Object.keys(item), FIELDS)
  const [semaphore, memory] = items
  t.like(semaphore, {
    type: 'semaphore',
    system: 'sysv',
    name,
    key: keyOf(name),
    value: 3,
    waiters: 0,
    size: null,
  })
  t.like(semaphore, { lastPid: pid, lastPidAlive: false, mode: '600' })
  t.true(Date.now() - Date.parse(semaphore?.changedAt ?? '') < 60_000)
  t.like(memory, { type: 'memory', system: 'posix', name, key: null, value: null, size: 10, mode: '600' })
})

requires(linux, ctypes)(
  "a set that a peer made is shown by its key, and found by the name's key",
  async t => {
    const name = uniqueName(t)
    makeSet(keyOf(name), 1, { setval: 5 })
    const hex = `0x${(keyOf(name) >>> 0).toString(16).padStart(8, '0')}`
    const { stdout } = await cli(t, ['ls', name])
    t.regex(stdout, new RegExp(`^semaphore +${hex} +\\d+ +5 `, 'm'))
    t.is((await cli(t, ['value', name])).stdout, '5\n')
    t.regex((await cli(t, ['show', name])).stdout, /record +none: another program made it/)
    t.like(await cli(t, ['rm', name]), DONE)
  },
)

test('show prints every object of a name, and its users', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const memory = SharedMemory.create(name, { size: 40 })
  memory.write('0123456789abcdef\x00\x01<end>', 0)
  const waiting = start(t, ['wait', name])
  await until('it waits', () => semaphore.info().waiters === 1)
  const { code, stdout } = await cli(t, ['show', name])
  t.is(code, 0)
  t.regex(stdout, /kind +System V semaphore/)
  t.regex(stdout, new RegExp(`key +0x\\w{8} \\(${keyOf(name)}\\)`))
  t.regex(stdout, /size +40 bytes \(40 B\)/)
  t.true(
    stdout.includes('00000000  30 31 32 33 34 35 36 37  38 39 61 62 63 64 65 66  |0123456789abcdef|') &&
      stdout.includes('00000010  00 01 3c 65 6e 64 3e 00  00 00 00 00 00 00 00 00  |..<end>.........|'),
    stdout,
  )
  if (process.platform === 'linux') {
    t.regex(stdout, new RegExp(`waiters +1: ${waiting.pid} node os-ipc.cjs$`, 'm'))
    t.regex(stdout, new RegExp(`mapped by +.*\\b${process.pid} `))
  }
  const shown = await json<
    (Item & { mapped: number[] | null; waiting: number[] | null; content?: object })[]
  >(t, [...['show', name, '--json', '--offset', 16, '--length', 4]])
  t.is(shown.length, 2)
  t.deepEqual(Object.keys(shown[0] as Item), [...FIELDS, 'mapped', 'waiting'])
  t.deepEqual(Object.keys(shown[1] as Item), [...FIELDS, 'mapped', 'waiting', 'content'])
  t.deepEqual(shown[1]?.content, { offset: 16, length: 4, hex: '00013c65' })
  if (process.platform === 'linux') {
    t.deepEqual(shown[0]?.waiting, [waiting.pid])
    t.true(shown[1]?.mapped?.includes(process.pid))
  }
})

test('show --watch without a screen prints the changes, and ends with its object', async t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 64 })
  const watching = start(t, ['show', name, '--watch', '--interval', '50ms'])
  await watching.until(`${name}`)
  while (!`${await watching.next()}`.includes('00000030')); // the complete dump, once
  memory.write('changed', 32)
  // Holders may change too: a new process shares the mappings of its parent until exec.
  await watching.until(
    `${name}  00000020  63 68 61 6e 67 65 64 00  00 00 00 00 00 00 00 00  |changed.........|`,
  )
  memory.unlink()
  t.is((await watching.exit).code, 0)
})

requires(terminals)('show --watch marks changes on a terminal, and restores the terminal', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 7 })
  const posting = setInterval(() => semaphore.post(), 300)
  t.teardown(() => clearInterval(posting))
  const { output, restored, problem } = await inTerminal(
    t,
    osIpc('show', name, '--watch', '--interval', '100ms'),
    [{ until: `${'value'.padEnd(17)}\u001b[7m` }, { type: '\u0003' }],
  )
  t.is(problem, null)
  t.true(restored)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  t.regex(output, /value +\u001b\[7m\d+\u001b\[27m/)
})

test('show prints the objects that exist, and names the missing ones', async t => {
  const name = uniqueName(t)
  SharedMemory.create(name, { size: 8 })
  const { code, stdout, stderr } = await cli(t, ['show', `${name}-not`, name])
  t.is(code, 3)
  t.true(stdout.startsWith(`${name}\n`), stdout)
  t.is(stderr, `os-ipc: there is nothing called ${name}-not; os-ipc ls lists all objects\n`)
})

test('a hex dump replaces repeated lines by a star, and ends with its last line', t => {
  const data = Buffer.alloc(100)
  data[70] = 0x41
  t.deepEqual(
    hexDump(data, 0x1000).map(line => line.slice(0, 12)),
    ['00001000  00', '*', '00001040  00', '00001050  00', '00001060  00'],
  )
  // A changed line is shown even when it equals the line before it.
  t.is(hexDump(data, 0, index => index === 20).length, 6)
  t.deepEqual(hexDump(Buffer.alloc(0), 0), [])
})

requires(asUser(65534), privateIpc())('ls counts the objects that this user may not read', async t => {
  const others = {
    missing: undefined,
    wrap: (argv: readonly string[]) => [
      'sh',
      '-c',
      'ipcmk -p 600 -S 1 >&2 && ipcmk -p 600 -M 9 >&2 && ipcmk -p 644 -S 2 >&2 && exec "$@"',
      'sh',
      ...argv,
    ],
  }
  const { code, stdout, stderr } = await cli(t, ['ls'], { within: [privateIpc(), others, asUser(65534)] })
  t.is(code, 0)
  t.is(stdout.match(/^semaphore /gm)?.length, 1)
  t.true(
    stderr.endsWith('os-ipc: 2 System V objects belong to other users, and this user may not read them\n'),
    stderr,
  )
})

requires(privateIpc())('a set without room for its name brings a warning of one line', async t => {
  const { code, stderr } = await cli(t, ['create', `long-${'x'.repeat(60)}`, '-n', 1], {
    within: [privateIpc({ sem: [250, 32_000, 32, 128] })],
  })
  t.is(code, 0)
  t.regex(stderr, /^os-ipc: the semaphore \S+ does not carry its name: [^\n]+\n$/)
})

// --- rm

requires(linux)('a zombie process counts as dead', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 1 })
  const program = `"${process.execPath}" "${OS_IPC}" try ${name} & exec sleep 60`
  const parent = spawn('sh', ['-c', program], { stdio: 'ignore' })
  t.teardown(() => parent.kill())
  await until('it took the unit', () => semaphore.value === 0)
  const { lastPid } = semaphore.info()
  const state = () => readFileSync(`/proc/${lastPid}/stat`, 'latin1').replace(/.*\) /s, '')[0]
  await until('it ended', () => state() === 'Z')
  t.like(await json<Item>(t, ['value', name, '--json']), { lastPid, lastPidAlive: false })
  t.like(await cli(t, ['rm', name]), { code: 0, stderr: '' })
})

test('rm removes several objects and names the missing ones, and --force ignores the missing ones', async t => {
  const [one, two, three] = [uniqueName(t, '-1'), uniqueName(t, '-2'), uniqueName(t, '-3')]
  for (const name of [one, two]) t.like(await cli(t, ['create', name, '--size', 8]), DONE)
  const { code, stderr } = await cli(t, ['rm', one, three, two])
  t.is(code, 3)
  t.regex(stderr, new RegExp(`^os-ipc: there is nothing called ${three}; [^\\n]+\\n$`))
  t.is((await cli(t, ['ls', '-q', one, two])).stdout, '')
  t.like(await cli(t, ['rm', '--force', one]), { ...DONE, stdout: '' })
})

test('rm of a semaphore that has waiters needs --force', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const waiting = start(t, ['wait', name])
  await until('it waits', () => semaphore.info().waiters === 1)
  t.like(await cli(t, ['rm', name]), {
    code: 1,
    stderr: `os-ipc: ${name} is in use: 1 waiter would be woken with an error; --force removes it\n`,
  })
  t.is(semaphore.value, 0)
  t.like(await cli(t, ['rm', '-f', name]), DONE)
  t.is((await waiting.exit).code, 5)
})

requires(linux)(
  'rm of mapped memory, and of a semaphore whose last user is alive, needs --force',
  async t => {
    const name = uniqueName(t)
    const memory = SharedMemory.create(name, { size: 8 })
    const refused = await cli(t, ['rm', name])
    t.is(refused.code, 1)
    t.regex(refused.stderr, new RegExp(`it is mapped by ${process.pid} node[^;]*; --force removes it\\n$`))
    memory.close()
    t.like(await cli(t, ['rm', name]), DONE)
    const code = `ipc.Semaphore.open('${name}').post(); console.log('posted'); setTimeout(() => {}, 60_000)`
    const semaphore = Semaphore.create(name, { initial: 1 })
    const index = new URL('../../index.cjs', import.meta.url).pathname
    const user = program(t, [process.execPath, '-e', `const ipc = require('${index}'); ${code}`])
    await user.until('posted')
    t.is(semaphore.value, 2)
    t.like(await cli(t, ['rm', name]), {
      code: 1,
      stderr: `os-ipc: ${name} is in use: the last process that used it, ${user.pid} node, is alive; --force removes it\n`,
    })
  },
)

requires(terminals)('rm asks on a terminal', async t => {
  const name = uniqueName(t)
  const memory = SharedMemory.create(name, { size: 8 })
  const no = await inTerminal(t, osIpc('rm', name), [{ until: 'Remove it? [y/N]' }, { type: 'n\r' }])
  t.like(no, { code: 1, restored: true, problem: null })
  t.regex(no.output, /was not removed/)
  const ended = await inTerminal(t, osIpc('rm', name), [{ until: 'Remove it? [y/N]' }, { type: '\x04' }])
  t.like(ended, { code: 1, restored: true, problem: null })
  t.false(memory.info().removed)
  const yes = await inTerminal(t, osIpc('rm', name), [{ until: 'Remove it? [y/N]' }, { type: 'yes\r' }])
  t.like(yes, { code: 0, restored: true, problem: null })
  t.true(memory.info().removed)
})

// --- mistakes

test('an error about a mistyped name suggests the right one', async t => {
  const name = uniqueName(t)
  Semaphore.create(name, { initial: 1 })
  SharedMemory.create(`${name}m`, { size: 8 })
  t.teardown(() => SharedMemory.unlink(`${name}m`))
  const meant = { code: 3, stderr: `os-ipc: there is no semaphore ${name}x; did you mean ${name}?\n` }
  for (const command of ['value', 'try', 'post', 'wait'])
    t.like(await cli(t, [command, `${name}x`]), meant, command)
  t.like(await cli(t, ['read', `${name}n`]), {
    code: 3,
    stderr: `os-ipc: there is no memory ${name}n; did you mean ${name}m?\n`,
  })
  t.like(await cli(t, ['show', `${name}n`]), { code: 3 })
  t.like(await cli(t, ['value', `${name}m`]), {
    code: 3,
    stderr: `os-ipc: there is no semaphore ${name}m; memory has this name: os-ipc read ${name}m\n`,
  })
})

requires(asUser(65534))('an error without permission names the owner and the cure', async t => {
  const name = uniqueName(t)
  const mine = { within: [asUser(65534)] }
  Semaphore.create(name, { initial: 1 })
  SharedMemory.create(name, { size: 8 })
  const cure = 'run this as its owner or as root, or create it with --mode 660 and a common group'
  for (const command of ['value', 'post', 'try', 'wait', 'show']) {
    t.like(await cli(t, [command, name], mine), {
      code: 4,
      stderr: `os-ipc: no permission for the semaphore ${name}: it belongs to root, and its mode is 600; ${cure}\n`,
    })
  }
  t.like(await cli(t, ['read', name], mine), {
    code: 4,
    stderr: `os-ipc: no permission for the memory ${name}: it belongs to root, and its mode is 600; ${cure}\n`,
  })
  const kept = await cli(t, ['rm', '--semaphore', name], mine)
  t.like(kept, { code: 4 })
  t.regex(kept.stderr, /belongs to root, and its mode is 600; only its owner and root may remove it\n$/)
  t.is((await cli(t, ['ls', '-q', name], mine)).stdout, '')
  const ran = await cli(t, ['run', name, '--', 'true'], mine)
  t.like(ran, { code: 125 })
  t.regex(ran.stderr, /^os-ipc: no permission for the limit/)
})

requires(asUser(65534))("another user's object is opened only when --owner says so", async t => {
  const name = uniqueName(t)
  const made = await cli(t, ['create', name, '-n', 1, '--mode', '666'], { within: [asUser(65534)] })
  t.like(made, DONE)
  t.like(await cli(t, ['post', name]), {
    code: 4,
    stderr: `os-ipc: the semaphore ${name} belongs to another user, nobody (uid 65534); if you trust that user: --owner 65534\n`,
  })
  t.like(await cli(t, ['post', name, '--owner', 65534]), DONE)
  t.like(await cli(t, ['post', name, '--owner', 'any']), DONE)
  t.is((await cli(t, ['value', name])).stdout, '3\n')
  const limit = uniqueName(t, '-l')
  t.like(await cli(t, ['create', limit, '-p', 1, '--mode', '666'], { within: [asUser(65534)] }), DONE)
  t.is((await cli(t, ['run', limit, '--', 'true'])).code, 125)
  t.is((await cli(t, ['run', limit, '--owner', 65534, '--', 'true'])).code, 0)
})

requires(privateIpc())(
  'the error of a full host differs from that of a full disk, and has the numbers',
  async t => {
    const { code, stderr } = await cli(t, ['create', uniqueName(t), '-n', 1], {
      within: [privateIpc({ sem: [250, 32_000, 500, 0] })],
    })
    t.is(code, 5)
    t.regex(stderr, /^os-ipc: [^\n]*; the disk is not full: the host allows 0 sets \(SEMMNI\)[^\n]*\n$/)
    const ran = await cli(t, ['run', uniqueName(t), '--', 'true'], {
      within: [privateIpc({ sem: [250, 32_000, 500, 0] })],
    })
    t.is(ran.code, 125)
  },
)

requires(withTmpfs('64k'))('a full /dev/shm is an error, and leaves nothing behind', async t => {
  const name = uniqueName(t)
  const { code, stderr } = await cli(t, ['create', name, '--size', '1M'], { within: [withTmpfs('64k')] })
  t.is(code, 5)
  t.regex(stderr, /^os-ipc: [^\n]*; \/dev\/shm has [^\n]*\n$/)
})

requires(linux)('a planted file under a name is left alone', async t => {
  const name = uniqueName(t)
  const secret = join(folder(t), 'secret')
  writeFileSync(secret, 'secret')
  chmodSync(secret, 0o600)
  const { code } = await shell(t, `ln -s ${secret} /dev/shm${name}`)
  t.is(code, 0)
  const { code: refused, stdout, stderr } = await cli(t, ['read', name])
  t.is(refused, 5)
  t.is(stdout, '')
  t.regex(stderr, /^os-ipc: [^\n]+; another user may have planted it[^\n]*\n$/)
})

requires(linux)('a program that uses the library and the command see the same limit', async t => {
  const name = uniqueName(t)
  Limit.create(name, { permits: 2 })
  const index = new URL('../../index.cjs', import.meta.url).pathname
  const code = `const limit = require('${index}').Limit.open('${name}'); limit.acquireSync(); limit.acquireSync(); console.log('holds'); setTimeout(() => {}, 60_000)`
  const holder = program(t, [process.execPath, '-e', code])
  await holder.until('holds')
  t.like(await json<object>(t, ['limit', name, '--json']), {
    free: 0,
    holders: [{ pid: holder.pid, permits: 2, command: 'node' }],
  })
  holder.kill('SIGKILL')
  await holder.exit
  await until('the permits are back', () => freeOf(name) === 2)
  t.regex((await cli(t, ['show', name])).stdout, new RegExp(`last pid +${holder.pid} \\(dead\\)`))
})
