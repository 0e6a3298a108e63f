// Calls that waited for their turn alone, and the code of the program that runs in a turn.

import { AsyncLocalStorage } from 'node:async_hooks'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setImmediate } from 'node:timers/promises'

import test from 'ava'

import { Channel } from '../../index.js'
import { uniqueName } from '../shared/names.ts'
import { child } from '../shared/child.ts'
import { ownChannel } from './helpers/channel.ts'

/** Blocks the event loop, so that timers are due before anything else. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

/** Uses up the calls after which the event loop is owed a turn. */
async function spendCredit(channel: Channel<number>): Promise<void> {
  for (let call = 0; call < 1_000; call += 1) {
    await channel.send(call)
    await channel.receive()
  }
}

for (const timeout of [0, 1]) {
  test(`a receive with a timeout of ${timeout} ms gets a message that is there, even if its timer is first`, async t => {
    const channel = ownChannel<number>(t, { capacity: 1 << 16 })
    await spendCredit(channel)
    t.true(channel.trySend(7))
    const received = channel.receive({ timeout })
    block(5)
    t.is(await received, 7)
  })

  test(`a send with a timeout of ${timeout} ms gets the room that is there`, async t => {
    const channel = ownChannel<number>(t, { capacity: 1 << 16 })
    await spendCredit(channel)
    const sent = channel.send(7, { timeout })
    block(5)
    await sent
    t.is(channel.tryReceive(), 7)
  })

  test(`a sendMany with a timeout of ${timeout} ms gets the room that is there`, async t => {
    const channel = ownChannel<number>(t, { capacity: 1 << 16 })
    await spendCredit(channel)
    const sent = channel.sendMany([7, 8], { timeout })
    block(5)
    await sent
    t.is(channel.info().messages, 2)
  })
}

test('a call behind another one that waits for its turn alone gets what is there', async t => {
  const channel = ownChannel<number>(t, { capacity: 1 << 16 })
  await spendCredit(channel)
  const sends = [channel.send(1), channel.send(2, { timeout: 1 })]
  block(5)
  await Promise.all(sends)
  const receives = [channel.receive(), channel.receive({ timeout: 1 })]
  block(5)
  t.deepEqual(await Promise.all(receives), [1, 2])
})

for (const how of ['receive', 'receiveInto', 'an iterator'] as const) {
  test(`messages that come just before a sleep let the event loop turn: ${how}`, async t => {
    const channel = ownChannel<number>(t, { capacity: 1 << 16, codec: 'json' })
    using other = Channel.open(channel.name)
    let sent = 0
    const send = (message: unknown) => {
      if ((message as { name: string }).name === channel.name) other.trySend(sent++)
    }
    subscribe('os-ipc:channel:wait', send)
    t.teardown(() => unsubscribe('os-ipc:channel:wait', send))
    const [count, target, values] = [5_000, Buffer.alloc(16), channel[Symbol.asyncIterator]()]
    let [received, turns] = [0, 0]
    const counted = (async () => {
      for (; received < count; turns += 1) await setImmediate()
    })()
    for (; received < count; received += 1) {
      if (how === 'receive') t.is(await channel.receive(), received)
      else if (how === 'an iterator') t.is((await values.next()).value, received)
      else t.is(target.toString('utf8', 0, await channel.receiveInto(target)), String(received))
    }
    await counted
    // At least one after 1,000 calls that did not have to wait for one.
    t.true(turns >= 4, `${turns}`)
  })
}

test('sendMany sends what a generator yields, although it fills the same bytes again', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 64, codec: 'bytes' })
  const count = 20
  const sent = channel.sendMany(
    (function* () {
      const bytes = Buffer.alloc(4)
      for (let number = 0; number < count; number += 1) {
        bytes.writeUInt32LE(number)
        yield bytes
      }
    })(),
  )
  const received: number[] = []
  while (received.length < count) received.push(((await channel.receive()) as Buffer).readUInt32LE())
  t.deepEqual(
    received,
    Array.from({ length: count }, (_, number) => number),
  )
  await sent
})

test('sendMany refuses what is no iterable', async t => {
  const channel = ownChannel(t)
  for (const values of [null, undefined, 5, {}]) {
    await t.throwsAsync(channel.sendMany(values as never), {
      instanceOf: TypeError,
      code: 'ERR_INVALID_ARG_TYPE',
    })
  }
})

test('the rejection of a sendMany that nobody handles is reported', async t => {
  const { stdout } = await child(t, 'channel/unhandled.ts', { args: [uniqueName(t)] }).exit
  t.is(stdout, '"ETIMEDOUT"\n')
})

test('drain refuses a visitor that is not done when it returns, and its message stays', async t => {
  const channel = ownChannel<Buffer>(t, { codec: 'bytes', capacity: 1024 })
  for (const prefetch of [1, 2]) {
    await channel.sendMany([Buffer.from('a'), Buffer.from('b')])
    if (prefetch > 1) t.is(String(await channel.receive({ prefetch })), 'a')
    t.throws(() => channel.drain(async () => {}), { code: 'ERR_INVALID_ARG_TYPE' })
    const visited: string[] = []
    channel.drain(view => visited.push(String.fromCharCode(...view)))
    t.deepEqual(visited, prefetch > 1 ? ['b'] : ['a', 'b'])
  }
})

test('the callbacks of calls that waited see the storage of their callers', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 64, codec: 'bytes' })
  while (channel.trySend(Buffer.alloc(8)));
  const storage = new AsyncLocalStorage<string>()
  const seen: unknown[] = []
  const filled = storage.run('fill', () =>
    channel.sendWith(8, () => seen.push(storage.getStore()) && undefined),
  )
  const many = storage.run('many', () =>
    channel.sendMany(
      (function* () {
        for (let number = 0; number < 3; number += 1) {
          seen.push(storage.getStore())
          yield Buffer.alloc(8)
        }
      })(),
    ),
  )
  let isDone = false
  const done = Promise.all([filled, many]).then(() => (isDone = true))
  while (!isDone) {
    channel.tryReceive()
    await setImmediate()
  }
  await done
  t.deepEqual([...new Set(seen)].sort(), ['fill', 'many'])
})

const CLOSED = { code: 'ERR_CLOSED' }
const closing: [string, (channel: Channel<Buffer>) => Promise<unknown>][] = []
const calls: [string, (channel: Channel<Buffer>, signal: AbortSignal) => Promise<unknown>][] = [
  ['receive', (channel, signal) => channel.receive({ signal })],
  ['receiveInto', (channel, signal) => channel.receiveInto(Buffer.alloc(8), { signal })],
  ['batches', (channel, signal) => channel.batches({ signal }).next()],
  ['send', (channel, signal) => channel.send(Buffer.alloc(8), { signal })],
  ['sendMany', (channel, signal) => channel.sendMany([Buffer.alloc(8)], { signal })],
  ['sendWith', (channel, signal) => channel.sendWith(8, () => {}, { signal })],
]
for (const [call, make] of calls) {
  closing.push([
    `${call}, in the getter 'aborted' of its signal`,
    channel => {
      const signal = new AbortController().signal
      Object.defineProperty(signal, 'aborted', {
        get: () => {
          channel.close()
          return false
        },
      })
      return make(channel, signal)
    },
  ])
}
closing.push(
  [
    'receive, when its signal gets the listener',
    channel => {
      const signal = new AbortController().signal
      Object.defineProperty(signal, 'addEventListener', { value: () => channel.close() })
      return channel.receive({ signal })
    },
  ],
  [
    'receive, in the getter of prefetch',
    channel =>
      channel.receive({
        get prefetch() {
          channel.close()
          return 1
        },
      }),
  ],
)
for (const [title, call] of closing) {
  test(`a channel that the program closes in a call rejects with ERR_CLOSED: ${title}`, async t => {
    const channel = ownChannel<Buffer>(t, { capacity: 1024, codec: 'bytes' })
    await t.throwsAsync(call(channel), CLOSED)
  })
}
