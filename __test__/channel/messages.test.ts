// What is sent arrives: between processes, in order, whole, with its type.

import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Channel, IpcError, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { ownChannel } from './helpers/channel.ts'
import { memoryOf } from './helpers/memory.ts'

const VALUES: readonly unknown[] = [
  'text',
  '',
  'héllo €',
  'a lone surrogate \ud800',
  'x'.repeat(1500),
  '€'.repeat(500),
  0,
  -0,
  1.5,
  Number.NaN,
  Number.NEGATIVE_INFINITY,
  10n,
  true,
  null,
  {},
  [],
  { a: 1, b: { c: [1, 'two', null, { d: false }] } },
  { é: 'ü' },
  { ['__proto__']: 1 },
  { undefined: undefined },
  [undefined],
  // biome-ignore lint/suspicious/noSparseArray: a hole is not undefined
  [1, , 3],
  // biome-ignore lint/suspicious/noSparseArray: a hole is not undefined
  Object.assign([1, , 3], { x: 5 }),
  new Date(5),
  new Map([[{ a: 1 }, new Set([1])]]),
  /x/g,
  new Error('an error'),
  Buffer.from('buffer'),
  Buffer.alloc(0),
  new Uint8Array([1, 2, 3]),
  new Uint8Array(300).fill(7),
  new Float64Array([1, 2]),
  Array.from({ length: 200 }, (_, i) => i),
]

for (const node of nodes) {
  test(`values of every type go to another process and back on Node ${node.major}`, async t => {
    const [there, back] = [ownChannel(t), ownChannel(t)]
    const echo = child(t, 'channel/echo.ts', { node, args: [there.name, back.name] })
    t.is(await echo.next(), 'ready')
    for (const value of VALUES) {
      await there.send(value)
      t.deepEqual(await back.receive({ timeout: 20_000 }), value)
    }
    there.end()
    t.is(await echo.next(), 'ended')
    t.is((await echo.exit).code, 0)
  })
}

test('an array with a property of its own arrives as structuredClone copies it', async t => {
  const channel = ownChannel(t)
  const value = Object.assign([1, 2], { extra: 'x' })
  await channel.send(value)
  t.deepEqual(Object.entries((await channel.receive()) as object), Object.entries(structuredClone(value)))
})

test('messages go through the ring in order, also when their positions wrap around', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  const received: string[] = []
  const sent: string[] = []
  for (let i = 0; i < 3000; i++) {
    const text = `${i}`.padEnd(i % 100, '.')
    sent.push(text)
    if (!channel.trySend(Buffer.from(text))) {
      channel.drain(view => received.push(view.toString()))
      t.true(channel.trySend(Buffer.from(text)))
    }
  }
  channel.drain(view => received.push(view.toString()))
  t.deepEqual(received, sent)
  t.is(channel.info().bytes, 0)
})

test('messages of all lengths that are taken together arrive whole, also around the end of the ring', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 65_536, codec: 'bytes' })
  const lengths = [0, 1, 3, 4, 63, 64, 127, 128, 129, 255, 256, 257, 1000, 4095, 4096, 4097, 9000]
  const batches = channel.batches({ max: 40 })
  const sent: Buffer[] = []
  const received: Buffer[] = []
  const receiveAll = [
    async () => {
      while (received.length < sent.length) received.push(...((await batches.next()).value as Buffer[]))
    },
    async () => {
      while (received.length < sent.length) received.push((await channel.receive({ prefetch: 7 })) as Buffer)
    },
    async () => {
      while (received.length < sent.length) received.push((await channel.receive()) as Buffer)
    },
  ]
  for (let round = 0; round < 60; round++) {
    for (let i = 0; i < 12; i++) {
      const length = lengths[(round * 12 + i * 5) % lengths.length] as number
      const message = Buffer.alloc(length, `${round}-${i}.`)
      sent.push(message)
      t.true(channel.trySend(message))
    }
    await receiveAll[round % receiveAll.length]?.()
  }
  t.deepEqual(received, sent)
  t.is(channel.info().bytes, 0)
})

test('the messages around one that cannot be decoded arrive in their batches', async t => {
  const channel = ownChannel<unknown>(t)
  const batches = channel.batches()
  for (const value of ['before', Buffer.from('changed'), 'behind', 'last']) t.true(channel.trySend(value))
  {
    using memory = memoryOf(channel.name)
    const bytes = Buffer.from(memory.buffer)
    // The record of the Buffer gets a kind that no codec has.
    bytes.writeUInt32LE(99, bytes.indexOf('changed') - 4)
  }
  t.deepEqual((await batches.next()).value, ['before'])
  await t.throwsAsync(batches.next(), { code: 'ERR_BAD_MESSAGE' })
  t.true(channel.trySend('later'))
  t.deepEqual((await batches.next()).value, ['behind', 'last', 'later'])
})

test("two handles that send and receive in turn see each other's changes", t => {
  const one = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  using other = Channel.open<Buffer>(one.name)
  const handles = [one, other]
  let [sent, received] = [0, 0]
  // Handles take turns of uneven lengths, so each of them comes back to positions that it has not seen.
  for (let turn = 0; received < 3000; turn++) {
    const sender = handles[turn % 2] as Channel<Buffer>
    const receiver = handles[(turn >> 1) % 2] as Channel<Buffer>
    for (let i = 0; i <= turn % 5 && sender.trySend(Buffer.from(`${sent}`)); i++) sent += 1
    for (let i = 0; i <= turn % 3; i++) {
      const message = receiver.tryReceive()
      if (message === undefined) {
        t.is(received, sent)
        break
      }
      t.is(message.toString(), `${received}`)
      received += 1
    }
  }
})

test('sends wait while the channel is full, and keep their order', async t => {
  const channel = ownChannel<number>(t, { capacity: 64 })
  const sends = Array.from({ length: 20 }, (_, i) => channel.send(i))
  let settled = 0
  for (const send of sends) void send.then(() => (settled += 1))
  await sleep(20)
  t.true(settled < 20)
  for (let i = 0; i < 20; i++) t.is(await channel.receive({ timeout: 30_000 }), i)
  await Promise.all(sends)
})

test('an ended channel refuses sends, and is received to its end', async t => {
  const channel = ownChannel<string>(t)
  await channel.send('last')
  channel.end()
  await t.throwsAsync(channel.send('more'), { instanceOf: IpcError, code: 'ERR_ENDED' })
  t.throws(() => channel.trySend('more'), { code: 'ERR_ENDED' })
  t.is(await channel.receive(), 'last')
  t.is(await channel.receive(), undefined)
  t.is(channel.tryReceive(), undefined)
})

test('undefined cannot be sent', async t => {
  await t.throwsAsync(ownChannel(t).send(undefined), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
})

test('a closed channel ends its pending calls', async t => {
  const channel = ownChannel(t)
  const receiving = channel.receive()
  channel.close()
  channel.close()
  await t.throwsAsync(receiving, { code: 'ERR_CLOSED' })
  await t.throwsAsync(channel.send(1), { code: 'ERR_CLOSED' })
  t.throws(() => channel.info(), { code: 'ERR_CLOSED' })
})

test('unlink takes the name away and ends what waits', async t => {
  const channel = ownChannel(t)
  await channel.send('kept')
  const other = Channel.open(channel.name)
  t.teardown(() => other.close())
  t.true(Channel.unlink(channel.name))
  t.false(Channel.unlink(channel.name))
  t.is(await other.receive(), 'kept')
  await t.throwsAsync(other.receive({ timeout: 5_000 }), { code: 'EIDRM' })
  await t.throwsAsync(channel.send(1), { code: 'EIDRM' })
  t.throws(() => Channel.open(channel.name), { code: 'ENOENT' })
})

/** Bytes whose `length`, `byteLength`, `buffer`, `set` and `subarray` are the program's. */
class Vector extends Uint8Array {
  static asked = 0

  override get length(): number {
    Vector.asked += 1
    return 4
  }

  override get byteLength(): number {
    Vector.asked += 1
    return 1e9
  }

  override set(): void {
    Vector.asked += 1
  }

  override subarray(): Uint8Array<ArrayBuffer> {
    Vector.asked += 1
    return new Uint8Array(0)
  }
}

for (const length of [200, 40_000]) {
  test(`the length of a message is its real one, whatever its class says: ${length} bytes`, async t => {
    const channel = ownChannel<Uint8Array>(t, { capacity: 1 << 18, codec: 'bytes' })
    const odd = [new Vector(length).fill(1), new Uint8Array(length).fill(2), Buffer.alloc(length, 3)]
    Object.defineProperty(odd[1], 'length', { value: -5 })
    Object.defineProperty(odd[2], 'length', { value: 1e9 })
    Vector.asked = 0
    t.true(channel.trySend(odd[0] as Vector))
    await channel.send(odd[1] as Uint8Array)
    await channel.sendMany([odd[2] as Buffer])
    t.is(channel.info().messages, 3)
    for (const byte of [1, 2, 3]) t.deepEqual(await channel.receive(), Buffer.alloc(length, byte))

    for (const byte of [4, 5]) t.true(channel.trySend(Buffer.alloc(length, byte)))
    const target = new Vector(length + 1)
    t.is(await channel.receiveInto(target), length)
    const small = new Vector(length - 1)
    await t.throwsAsync(channel.receiveInto(small), { code: 'ERR_MESSAGE_TOO_LARGE' })
    t.is(Vector.asked, 0)
    const view = Buffer.from(target.buffer)
    t.deepEqual([view[0], view[length - 1], view[length]], [4, 4, 0])
    t.deepEqual(channel.tryReceive(), Buffer.alloc(length, 5))
  })
}

test('a write returns the real length of its bytes', t => {
  using memory = SharedMemory.create(uniqueName(t), { size: 16 })
  t.is(memory.write(new Vector(8)), 8)
})
