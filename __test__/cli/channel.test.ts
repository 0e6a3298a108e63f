// Channels on the command line: send, receive, and what ls, show, top and rm tell of them.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import test, { type ExecutionContext } from 'ava'

import { capabilities, Channel, list, Semaphore } from '../../index.js'
import { ownChannel } from '../channel/helpers/channel.ts'
import { memoryName, memoryOf, wakeNames } from '../channel/helpers/memory.ts'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { linux, requires, systemV } from '../shared/requires.ts'
import { until } from '../shared/until.ts'
import { cli, cliWith, json, OS_IPC, shell, start } from './helpers/cli.ts'

const DONE = { code: 0, stdout: '', stderr: '' }

function name(t: ExecutionContext): string {
  const unique = uniqueName(t)
  t.teardown(() => Channel.unlink(unique))
  return unique
}

test('send sends each TEXT, and receive writes a message as a line', async t => {
  const id = name(t)
  t.is((await cli(t, ['send', id, '--create', 'hello', 'wörld'])).code, 0)
  t.is((await cli(t, ['receive', id])).stdout, 'hello\n')
  using channel = Channel.open(id)
  t.is(channel.capacity, 1 << 20)
  t.is(await channel.receive(), 'wörld')
})

test('send takes the lines of its input, with and without a last line break', async t => {
  const channel = ownChannel(t)
  t.is((await cliWith(t, 'one\n\nthree\r\nlast', ['send', channel.name])).code, 0)
  const found = [1, 2, 3, 4].map(() => channel.tryReceive())
  t.deepEqual(found, ['one', '', 'three\r', 'last'])
  t.is(channel.tryReceive(), undefined)
})

test('the codec of the channel decides what a line is', async t => {
  const bytes = ownChannel<Buffer>(t, { capacity: 4096, codec: 'bytes' })
  t.is((await cliWith(t, 'é\n', ['send', bytes.name])).code, 0)
  t.deepEqual(bytes.tryReceive(), Buffer.from('é'))
  const values = ownChannel(t, { capacity: 4096, codec: 'json' })
  t.is((await cliWith(t, '{"a":[1]}\n', ['send', values.name])).code, 0)
  t.deepEqual(values.tryReceive(), { a: [1] })
  const any = ownChannel(t)
  t.is((await cli(t, ['send', any.name, '--json', '{"a":1}', '"text"'])).code, 0)
  t.deepEqual([any.tryReceive(), any.tryReceive()], [{ a: 1 }, 'text'])
})

test('a line that is not JSON is an error after the lines before it', async t => {
  const channel = ownChannel(t)
  const { code, stderr } = await cliWith(t, '1\n{\n2\n', ['send', '--json', channel.name])
  t.is(code, 5)
  t.regex(stderr, /^os-ipc: this is not JSON: \{; /)
  t.deepEqual([channel.tryReceive(), channel.tryReceive()], [1, undefined])
})

test('receive writes values as JSON, and --json writes every message so', async t => {
  const channel = ownChannel(t)
  const values = [{ a: 1 }, 'a\nb', Buffer.from([0, 255]), 7n]
  for (const value of [...values, ...values]) await channel.send(value)
  t.is((await cli(t, ['receive', channel.name, '-n', 2])).stdout, '{"a":1}\na\nb\n')
  t.is((await cli(t, ['receive', channel.name])).stdout.length, 3, 'its bytes and a line break')
  t.is((await cli(t, ['receive', channel.name])).stdout, '"7n"\n')
  const { stdout } = await cli(t, ['receive', channel.name, '--json', '-n', 4])
  t.deepEqual(
    stdout.split('\n').map(line => line && JSON.parse(line)),
    [{ a: 1 }, 'a\nb', { base64: 'AP8=' }, '7n', ''],
  )
})

test('frames pass any bytes, whatever the pieces of the input', async t => {
  const channel = ownChannel(t)
  const frames = Array.from({ length: 300 }, (_, n) => Buffer.alloc((n * 37) % 900, n))
  const input = Buffer.concat(frames.flatMap(frame => [lengthOf(frame), frame]))
  const sender = spawn(process.execPath, [OS_IPC, 'send', channel.name, '--frames', '--end'], {
    stdio: ['pipe', 'inherit', 'inherit'],
  })
  const receiver = spawn(process.execPath, [OS_IPC, 'receive', channel.name, '--frames', '--follow'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => [sender, receiver].forEach(child => void child.kill()))
  for (let at = 0; at < input.length; at += 1001) sender.stdin.write(input.subarray(at, at + 1001))
  sender.stdin.end()
  const output: Buffer[] = []
  for await (const chunk of receiver.stdout) output.push(chunk)
  t.true(Buffer.concat(output).equals(input))
})

test('an input that ends within a frame is an error', async t => {
  const channel = ownChannel(t)
  const { code, stderr } = await cliWith(t, 'abcde', ['send', '--frames', channel.name])
  t.is(code, 5)
  t.regex(stderr, /ends within a frame: 5 bytes are left/)
})

test('many lines go through a small channel and two pipes, in order', async t => {
  const channel = ownChannel(t, { capacity: 1024 })
  const receives = shell(t, `os-ipc receive ${channel.name} --follow | cksum`)
  const sends = shell(t, `seq 20000 | os-ipc send ${channel.name} --end`)
  const expected = await shell(t, 'seq 20000 | cksum')
  t.is((await sends).code, 0)
  t.is((await receives).stdout, expected.stdout)
})

test('send waits while the channel is full, and --timeout bounds that', async t => {
  const channel = ownChannel(t, { capacity: 64 })
  t.true(channel.trySend('x'.repeat(20)))
  t.true(channel.trySend('y'.repeat(20)))
  const late = await cli(t, ['send', channel.name, 'z'.repeat(20), '--timeout', '100ms'])
  t.is(late.code, 124)
  t.is(
    late.stderr,
    `os-ipc: there was no room in ${channel.name} within 0.1 s; no process receives from it\n`,
  )
  const waits = start(t, ['send', channel.name, 'z'.repeat(20)])
  await until('it is there', () => listed(channel.name).sent === 2 && channel.info().bytes === 64)
  t.is(await channel.receive(), 'x'.repeat(20))
  t.is((await waits.exit).code, 0)
})

test('receive waits for a message, and --timeout bounds that', async t => {
  const channel = ownChannel(t)
  const late = await cli(t, ['receive', channel.name, '--timeout', '100ms'])
  t.is(late.code, 124)
  t.is(late.stderr, `os-ipc: no message of ${channel.name} came within 0.1 s\n`)
  const waits = start(t, ['receive', channel.name])
  await channel.send('later')
  t.like(await waits.exit, { code: 0, stdout: 'later\n' })
})

test('--follow --timeout 0 writes what is there', async t => {
  const channel = ownChannel(t)
  for (let n = 0; n < 200; n++) await channel.send(n)
  const { code, stdout } = await cli(t, ['receive', channel.name, '--follow', '--timeout', '0'])
  t.is(code, 124)
  t.is(stdout, Array.from({ length: 200 }, (_, n) => `${n}\n`).join(''))
})

test('the end of a channel ends receive --follow, and is no message', async t => {
  const channel = ownChannel(t)
  const follows = start(t, ['receive', '--follow', channel.name])
  t.is((await cli(t, ['send', '--end', channel.name, 'last'])).code, 0)
  t.like(await follows.exit, { code: 0, stdout: 'last\n' })
  t.is((await cli(t, ['receive', channel.name])).code, 1)
  const { code, stderr } = await cli(t, ['send', channel.name, 'more'])
  t.is(code, 1)
  t.is(stderr, `os-ipc: the channel ${channel.name} has ended; nothing can be sent any more\n`)
})

test('a message of an unknown kind is reported, and the next ones are received', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 4096, codec: 'bytes' })
  await channel.send(Buffer.from('bad'))
  await channel.send(Buffer.from('good'))
  setKind(channel.name, 99)
  channel.end()
  const { code, stdout, stderr } = await cli(t, ['receive', '--follow', channel.name])
  t.is(code, 5)
  t.is(stdout, 'good\n')
  t.regex(stderr, /unknown kind 99/)
})

test('a missing channel and a message that is too long are errors', async t => {
  const id = name(t)
  for (const command of ['send', 'receive']) {
    const { code, stderr } = await cli(t, [command, id])
    t.is(code, 3)
    t.is(stderr, `os-ipc: there is no channel ${id}; --create makes it\n`)
  }
  const channel = ownChannel(t, { capacity: 64 })
  const { code, stderr } = await cli(t, ['send', channel.name, 'x'.repeat(25)])
  t.is(code, 5)
  t.regex(stderr, /25 bytes does not fit.*24 bytes fit/)
  t.is((await cli(t, ['send', id, '--capacity', '1k', 'x'])).code, 2)
  t.is((await cli(t, ['send', id, '--json', '--frames'])).code, 2)
  t.is((await cli(t, ['receive', id, '--follow', '-n', 2])).code, 2)
})

test('ls, show and rm know a channel, and not the objects that it is made of', async t => {
  const channel = ownChannel(t)
  await channel.send('abc')
  const [item] = await json<Record<string, unknown>[]>(t, ['ls', '--channels', channel.name, '--json'])
  t.like(item, { type: 'channel', name: channel.name, messages: 1, bytes: 16, capacity: 4096, ended: false })
  t.deepEqual(item?.senders, [process.pid])
  t.regex((await cli(t, ['ls', channel.name])).stdout, /^channel .* 1 \(1%\) /m)
  const { stdout } = await cli(t, ['show', channel.name])
  t.regex(stdout, /messages +1 \(1 sent, 0 received\)\n +fill +16 of 4096 bytes/)
  t.regex(stdout, new RegExp(`senders +${process.pid}`))
  const { memory, semaphores } = list()
  t.false(memory.some(({ name }) => name === memoryName(channel.name)))
  const wakes = wakeNames(channel.name)
  t.false(semaphores.some(({ name }) => wakes.includes(name ?? '')))
  using receivers = Semaphore.open(wakes[0] as string)
  t.is(receivers.value, 0, 'it is there')

  const refused = await cli(t, ['rm', channel.name])
  t.is(refused.code, 1)
  t.regex(refused.stderr, /in use: it is used by/)
  t.is((await cli(t, ['rm', '--force', '--channel', channel.name])).code, 0)
  t.false(Channel.unlink(channel.name))
  t.throws(() => channel.trySend('x'), { code: 'EIDRM' })
})

test('create makes a channel, and --if-absent leaves one unchanged', async t => {
  const id = name(t)
  t.like(await cli(t, ['create', id, '--capacity', '5k', '--codec', 'json', '--mode', '640']), DONE)
  t.like(listed(id), { capacity: 8192, codec: 'json', mode: 0o640 })
  const again = await cli(t, ['create', id, '-c', '1k'])
  t.is(again.code, 5)
  t.regex(again.stderr, /there is a channel .* already; --if-absent uses it unchanged/)
  const made = await json<Record<string, unknown>>(t, ['create', id, '-c', '1k', '--if-absent', '--json'])
  t.like(made, { type: 'channel', name: id, capacity: 8192, codec: 'json', created: false })
  t.like(await json(t, ['create', name(t), '-c', '1k', '--json']), { codec: 'structured', created: true })
  for (const wrong of [
    ['-c', '1k', '-n', 1],
    ['-c', '1k', '--posix'],
    ['-n', 1, '--codec', 'json'],
    ['-c', '1k', '--codec', 'xml'],
  ]) {
    t.is((await cli(t, ['create', name(t), ...wrong])).code, 2, wrong.join(' '))
  }
})

requires(systemV)('key --channel prints the objects of a channel', async t => {
  const channel = ownChannel(t)
  const [receivers, senders] = wakeNames(channel.name)
  const found = await json<{ receivers: { decimal: number } }>(t, [
    'key',
    channel.name,
    '--channel',
    '--json',
  ])
  t.like(found, {
    name: channel.name,
    memory: { name: memoryName(channel.name) },
    receivers: { name: receivers },
    senders: { name: senders },
  })
  if (capabilities.defaultBackend === 'sysv') {
    using byKey = Semaphore.open(found.receivers.decimal)
    t.is(byKey.value, 0)
    byKey.post()
    using byName = Semaphore.open(receivers as string)
    t.is(byName.value, 1)
  }
  const { stdout } = await cli(t, ['key', channel.name, '-c'])
  t.regex(stdout, /^memory +\/os-ipc\.ch\.\w+\nreceivers +\/os-ipc\.cr\.\w+.*\nsenders +\/os-ipc\.cs\./)
  t.is((await cli(t, ['key', name(t), '--channel'])).code, 3)
  t.is((await cli(t, ['key', channel.name, '-c', '-m'])).code, 2)
})

requires(linux)('doctor names the stopped process that holds up a channel', async t => {
  const channel = ownChannel(t)
  const holder = child(t, 'channel/hold.ts', { args: [channel.name, 'fill'] })
  await holder.until('inside')
  t.deepEqual(await found(t, channel.name), [], 'a process in a callback is not stopped')
  t.is(listed(channel.name).sending, holder.pid)
  holder.kill('SIGSTOP')
  await until('it is stopped', async () => (await found(t, channel.name)).length > 0)
  const [finding] = await found(t, channel.name)
  t.is(finding?.level, 'warning')
  t.regex(finding?.text ?? '', new RegExp(`^${holder.pid} .*is stopped inside a call: .*send to the channel`))
  t.is(finding?.cures[0], `kill -CONT ${holder.pid} continues it`)
  holder.kill('SIGKILL')
  await holder.exit
  t.deepEqual(await found(t, channel.name), [])
})

requires(linux)('doctor names a channel that has no slot left', async t => {
  const channel = ownChannel(t)
  const handles = Array.from({ length: 254 }, () => Channel.open(channel.name))
  t.is(listed(channel.name).handles, 255)
  const [full] = await found(t, channel.name)
  t.is(full?.level, 'problem')
  t.regex(full?.text ?? '', /is open 255 times, and at most 255 times: the next open fails with ERR_NO_SLOT/)
  for (const handle of handles.slice(10)) handle.close()
  t.deepEqual(await found(t, channel.name), [])
  for (const handle of handles) handle.close()
})

test('list shows who sends and receives, and what went through', async t => {
  const channel = ownChannel<number>(t)
  t.like(listed(channel.name), { messages: 0, bytes: 0, senders: [], receivers: [], codec: 'structured' })
  await channel.send(1)
  await channel.send(2)
  await channel.receive()
  channel.end()
  t.like(listed(channel.name), { messages: 1, sent: 2, received: 1, ended: true, maxMessage: 2040 })
  t.deepEqual(listed(channel.name).senders, [process.pid])
  t.deepEqual(listed(channel.name).receivers, [process.pid])
})

test('top counts the messages of a channel', async t => {
  const channel = ownChannel<number>(t)
  const top = start(t, ['top', channel.name, '--json', '--interval', '300ms'])
  const [first] = ((await top.next()) as Frame).items
  t.is(first?.messages, 0)
  for (let n = 0; n < 10; n++) await channel.send(n)
  // On a busy machine the messages come in several intervals, or in a later one.
  for (let seen = 0; seen < 10; ) {
    const [frame] = ((await top.next()) as Frame).items
    const messages = frame?.messages as number
    t.like(frame, { sent: messages, atLeast: false })
    t.is((frame?.changesPerSecond as number) > 0, messages > seen)
    seen = messages
  }
  const { stdout } = await cli(t, ['top', channel.name, '--count', 1])
  t.regex(stdout, /\d channels? .*\n.*\nchannel .* 10 \(4%\)/)
})

interface Finding {
  level: string
  topic: string
  text: string
  cures: string[]
}

/** What doctor finds about this channel. */
async function found(t: ExecutionContext, name: string): Promise<Finding[]> {
  const findings = await json<Finding[]>(t, ['doctor', '--json'])
  return findings.filter(({ topic, text }) => topic === 'channels' && text.includes(name))
}

interface Frame {
  items: Record<string, unknown>[]
}

function listed(name: string) {
  const found = list().channels.find(channel => channel.name === name)
  if (found === undefined) throw new Error(`${name} is not listed`)
  return found
}

/** Changes the kind of the first message of a channel that has had no others. */
function setKind(name: string, kind: number): void {
  using memory = memoryOf(name)
  new Uint32Array(memory.buffer)[8192 / 4 + 1] = kind
}

function lengthOf(frame: Buffer): Buffer {
  const length = Buffer.alloc(4)
  length.writeUInt32LE(frame.length)
  return length
}

test('send stops at a line or a frame that no message can have, and does not read on', async t => {
  const channel = ownChannel<string>(t, { capacity: 1024 })
  for (const [options, input] of [
    [[], `first\n${'x'.repeat(100_000)}`],
    [
      ['--frames'],
      Buffer.concat([Buffer.from([1, 0, 0, 0, 65]), Buffer.from([255, 255, 255, 127]), Buffer.alloc(600)]),
    ],
  ] as const) {
    const sender = spawn(process.execPath, [OS_IPC, 'send', channel.name, ...options], {
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    t.teardown(() => void sender.kill())
    let errors = ''
    sender.stderr.setEncoding('utf8').on('data', text => (errors += text))
    sender.stdin.on('error', () => {}).write(input)
    // The input does not end.
    const [code] = await once(sender, 'close')
    t.is(code, 5)
    t.regex(errors, /has more than 504 bytes: no message of this channel can be so long/)
  }
  t.is(await channel.receive(), 'first')
  t.deepEqual(await channel.receive(), Buffer.from('A') as unknown as string)
})
