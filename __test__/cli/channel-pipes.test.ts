// `os-ipc send` and `os-ipc receive` between slow programs, programs that go away, and signals.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import type { Channel } from '../../index.js'
import { ownChannel } from '../channel/helpers/channel.ts'
import { requires, signals } from '../shared/requires.ts'
import { until } from '../shared/until.ts'
import { OS_IPC, shell } from './helpers/cli.ts'

/** Starts `os-ipc` with pipes that the test reads and writes itself. */
function begin(t: ExecutionContext, args: readonly string[]) {
  const child = spawn(process.execPath, [OS_IPC, ...args], { stdio: 'pipe' })
  t.teardown(() => child.kill('SIGKILL'))
  child.stdin.on('error', () => {})
  let errors = ''
  child.stderr.on('data', chunk => {
    errors += chunk
  })
  const ended = once(child, 'close').then(([code, signal]) => ({ code, signal, errors }))
  return { child, ended }
}

/** Sends numbers from 0 on until it is told to stop; returns how many. */
function numbers(channel: Channel): { stop(): Promise<number> } {
  const stopping = new AbortController()
  const done = (async () => {
    for (let number = 0; ; number++) {
      if (stopping.signal.aborted) return number
      if (channel.trySend(`${number}`)) continue
      try {
        await channel.send(`${number}`, { signal: stopping.signal })
      } catch {
        return number
      }
    }
  })()
  return {
    stop() {
      stopping.abort()
      return done
    },
  }
}

function rest(channel: Channel): string[] {
  const left: string[] = []
  for (let found = channel.tryReceive(); found !== undefined; found = channel.tryReceive())
    left.push(String(found))
  return left
}

function upTo(count: number): string[] {
  return Array.from({ length: count }, (_, number) => `${number}`)
}

requires(signals)('a slow reader holds up receive, and so the senders, and loses nothing', async t => {
  const channel = ownChannel(t, { capacity: 16_384 })
  const { child, ended } = begin(t, ['receive', channel.name, '--follow'])
  const text = 'x'.repeat(1_000)
  let sent = 0
  const all = (async () => {
    for (; sent < 1_000; sent++) await channel.send(`${sent} ${text}`)
    channel.end()
  })()
  // Until it stays full: nothing was received between many looks.
  let [looks, received] = [0, -1]
  await until('the channel is full, or all is sent', () => {
    const info = channel.info()
    const isFull = info.bytes > 14_000 && info.received > 0 && info.received === received
    received = info.received
    looks = isFull ? looks + 1 : 0
    return looks > 50 || sent === 1_000
  })
  t.true(sent < 500, `${sent} messages of 1 KB went into a pipe that nobody reads`)
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stdout })) lines.push(line.split(' ')[0] as string)
  await all
  t.deepEqual(lines, upTo(1_000))
  t.like(await ended, { code: 0, signal: null, errors: '' })
})

requires(signals)('a full channel holds up send, and so the program that writes to it', async t => {
  const channel = ownChannel(t, { capacity: 4096 })
  const { child, ended } = begin(t, ['send', channel.name, '--end'])
  const text = 'y'.repeat(1_000)
  child.stdin.end(
    upTo(2_000)
      .map(number => `${number} ${text}\n`)
      .join(''),
  )
  await until('the channel is full', () => channel.info().bytes > 3_000)
  t.true(child.stdin.writableLength > 0, 'most of 2 MB are still here')
  const found: string[] = []
  for await (const message of channel) found.push(String(message).split(' ')[0] as string)
  t.deepEqual(found, upTo(2_000))
  t.like(await ended, { code: 0, errors: '' })
})

requires(signals)('a slow writer holds up nobody: each line is sent when it comes', async t => {
  const channel = ownChannel<string>(t)
  const { child, ended } = begin(t, ['send', channel.name])
  for (const line of ['one', 'two']) {
    child.stdin.write(`${line}\n`)
    t.is(await channel.receive({ timeout: 60_000 }), line)
  }
  child.stdin.end()
  t.like(await ended, { code: 0, errors: '' })
})

requires(signals)('a reader that goes away, such as head, ends receive in silence', async t => {
  const channel = ownChannel(t)
  const sends = numbers(channel)
  const { stdout, stderr } = await shell(
    t,
    `os-ipc receive ${channel.name} --follow | head -n 1; echo "\${PIPESTATUS[0]}"`,
  )
  await sends.stop()
  t.is(stdout, '0\n141\n')
  t.is(stderr, '')
})

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  requires(signals)(`${signal} ends receive --follow, and no message is lost`, async t => {
    const channel = ownChannel(t)
    const { child, ended } = begin(t, ['receive', channel.name, '--follow'])
    const sends = numbers(channel)
    const lines: string[] = []
    const reads = (async () => {
      for await (const line of createInterface({ input: child.stdout })) {
        lines.push(line)
        if (lines.length === 1_000) child.kill(signal)
      }
    })()
    t.like(await ended, { code: null, signal, errors: '' })
    await reads
    const sent = await sends.stop()
    t.deepEqual([...lines, ...rest(channel)], upTo(sent))
  })

  requires(signals)(`${signal} ends a receive that waits`, async t => {
    const channel = ownChannel(t)
    const { child, ended } = begin(t, ['receive', channel.name, '--follow'])
    await channel.send('first')
    await once(child.stdout, 'data')
    child.kill(signal)
    t.like(await ended, { code: null, signal, errors: '' })
    await channel.send('second')
    t.deepEqual(rest(channel), ['second'])
  })

  requires(signals)(`${signal} ends a send that waits for input`, async t => {
    const channel = ownChannel<string>(t)
    const { child, ended } = begin(t, ['send', channel.name])
    child.stdin.write('one\n')
    t.is(await channel.receive({ timeout: 60_000 }), 'one')
    child.kill(signal)
    t.like(await ended, { code: null, signal, errors: '' })
  })

  requires(signals)(
    `${signal} ends a send that waits for room, which reports what it did not send`,
    async t => {
      const channel = ownChannel(t, { capacity: 64 })
      const { child, ended } = begin(t, ['send', channel.name])
      const lines = upTo(10).map(number => number.padEnd(8, '.'))
      child.stdin.write(`${lines.join('\n')}\n`)
      await until('the channel is full', () => channel.info().bytes === 64)
      child.kill(signal)
      const end = await ended
      t.like(end, { code: null, signal })
      t.is(
        end.errors,
        'os-ipc: 6 messages of the input found no room before the signal, and will not be sent\n',
      )
      t.deepEqual(rest(channel), lines.slice(0, 4))
    },
  )
}

requires(signals)('a second signal ends a receive whose reader does not read', async t => {
  const channel = ownChannel(t, { capacity: 1 << 20 })
  const { child, ended } = begin(t, ['receive', channel.name, '--follow'])
  const sends = numbers(channel)
  // It writes to a full pipe: what is in the channel stays there.
  let [looks, received] = [0, -1]
  await until('nothing is received any more', () => {
    const info = channel.info()
    looks = info.received > 0 && info.received === received && info.messages > 0 ? looks + 1 : 0
    received = info.received
    return looks > 100
  })
  child.kill('SIGTERM')
  await until('it has got the signal', async () => {
    await sleep(20)
    child.kill('SIGTERM')
    return child.signalCode !== null
  })
  child.stdout.resume()
  t.like(await ended, { code: null, signal: 'SIGTERM' })
  await sends.stop()
})
