// Every call of the class: what it takes, what it returns, what it refuses.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Channel, type CreateChannelOptions } from '../../index.js'
import { uniqueName } from '../shared/names.ts'
import { until } from '../shared/until.ts'
import { ownChannel } from './helpers/channel.ts'

test('capacity is rounded up to a power of two, and openOrCreate keeps what is there', t => {
  const channel = ownChannel(t, { capacity: 1000, codec: 'json' })
  t.true(channel.created)
  t.is(channel.capacity, 1024)
  t.is(channel.maxMessage, 504)
  const other = Channel.openOrCreate(channel.name.slice(1), { capacity: 1 << 20 })
  t.like(other, { name: channel.name, capacity: 1024, codec: 'json', created: false })
  other.close()
  t.throws(() => Channel.create(channel.name, { capacity: 64 }), { code: 'EEXIST' })
})

test('wrong arguments are refused before anything is made', t => {
  const name = uniqueName(t)
  const create = (options: unknown) => () => Channel.create(name, options as CreateChannelOptions)
  for (const capacity of [0, -1, 1.5, 2 ** 30 + 1, Number.NaN]) {
    t.throws(create({ capacity }), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' })
  }
  t.throws(create({}), { instanceOf: TypeError })
  t.throws(create({ capacity: 64, codec: 'xml' }), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(create({ capacity: 64, mode: 0o1000 }), { code: 'ERR_OUT_OF_RANGE' })
  t.throws(() => Channel.create('', { capacity: 64 }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Channel.create('x'.repeat(255), { capacity: 64 }), { code: 'ERR_INVALID_ARG_VALUE' })
  t.throws(() => Channel.open(name), { code: 'ENOENT' })
  t.throws(() => Reflect.construct(Channel, []), { instanceOf: TypeError })
})

test('each codec takes its own values', async t => {
  const bytes = ownChannel<unknown>(t, { capacity: 1024, codec: 'bytes' })
  await t.throwsAsync(bytes.send('text'), { instanceOf: TypeError })
  await bytes.send(new Uint8Array([1, 2]))
  t.deepEqual(await bytes.receive(), Buffer.from([1, 2]))
  const json = ownChannel<unknown>(t, { capacity: 1024, codec: 'json' })
  await t.throwsAsync(
    json.send(() => {}),
    { instanceOf: TypeError },
  )
  await json.send({ at: new Date(0) })
  t.deepEqual(await json.receive(), { at: '1970-01-01T00:00:00.000Z' })
  const structured = ownChannel<unknown>(t, { capacity: 1024 })
  await t.throwsAsync(structured.send(() => {}))
  t.is(structured.info().messages, 0)
})

test('a call that cannot wait any longer rejects, and those behind it go on', async t => {
  const channel = ownChannel<number>(t, { capacity: 64 })
  while (channel.trySend(0));
  const abort = new AbortController()
  const late = channel.send(1, { timeout: 20 })
  const aborted = channel.send(2, { signal: abort.signal })
  const last = channel.send(3)
  await t.throwsAsync(late, { code: 'ETIMEDOUT' })
  abort.abort(new Error('stop'))
  await t.throwsAsync(aborted, { message: 'stop' })
  await t.throwsAsync(channel.send(4, { signal: abort.signal }), { message: 'stop' })
  await t.throwsAsync(channel.send(4, { timeout: 0 }), { code: 'ETIMEDOUT' })
  const received: number[] = []
  while (received.at(-1) !== 3) received.push((await channel.receive({ timeout: 30_000 })) as number)
  await last
  t.false(received.includes(1) || received.includes(2) || received.includes(4))
  await t.throwsAsync(channel.receive({ timeout: 10 }), { code: 'ETIMEDOUT' })
})

test('sendMany sends a long iterable in order, and what came before its error', async t => {
  const channel = ownChannel<number>(t, { capacity: 256 })
  const numbers = Array.from({ length: 1000 }, (_, i) => i)
  const sending = channel.sendMany(numbers)
  const received: number[] = []
  while (received.length < 1000) received.push((await channel.receive({ timeout: 30_000 })) as number)
  await sending
  t.deepEqual(received, numbers)
  const failing = channel.sendMany(
    (function* () {
      yield 1
      yield 2
      throw new Error('no more')
    })(),
  )
  await t.throwsAsync(failing, { message: 'no more' })
  t.deepEqual([channel.tryReceive(), channel.tryReceive(), channel.tryReceive()], [1, 2, undefined])
})

test('sendMany sends bytes of every length in order, all around the ring', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 1 << 18, codec: 'bytes' })
  const lengths = [0, 1, 7, 8, 64, 1_000, 32_767, 32_768, 32_769, 50_000, 9, 131_064]
  const messages = Array.from({ length: 200 }, (_, place) =>
    Buffer.alloc(lengths[(place * 7) % lengths.length] as number, place),
  )
  const sending = channel.sendMany(messages)
  for (const message of messages) t.true(message.equals((await channel.receive()) as Buffer))
  await sending
  t.is(channel.info().messages, 0)
})

const DETACHED = Buffer.from(new ArrayBuffer(8))
structuredClone(DETACHED.buffer, { transfer: [DETACHED.buffer] })

for (const [what, wrong, code] of [
  ['a detached Buffer', DETACHED, undefined],
  ['a string', 'text', undefined],
  ['a Uint16Array', new Uint16Array(4), undefined],
  ['a message that can never fit', Buffer.alloc(5_000), 'ERR_MESSAGE_TOO_LARGE'],
] as const) {
  test(`sendMany sends the bytes before ${what}, and none behind it`, async t => {
    const channel = ownChannel<Buffer>(t, { capacity: 8_192, codec: 'bytes' })
    const list = [1, 2, wrong as Buffer, 3].map(one =>
      typeof one === 'number' ? Buffer.alloc(64, one) : one,
    )
    await t.throwsAsync(channel.sendMany(list), code === undefined ? { instanceOf: TypeError } : { code })
    t.is(channel.info().messages, 2)
    await channel.send(Buffer.from('next'))
    for (const sent of [Buffer.alloc(64, 1), Buffer.alloc(64, 2), Buffer.from('next')]) {
      t.deepEqual(await channel.receive(), sent)
    }
  })
}

test('sendMany reads an array as its iterator does', async t => {
  const channel = ownChannel<unknown>(t)
  const own = Object.assign([1, 2], {
    *[Symbol.iterator]() {
      yield 'own'
    },
  })
  const proxy = new Proxy([3, 4], {})
  const grows: unknown[] = [5]
  Object.defineProperty(grows, 0, {
    get: () => {
      if (grows.length === 1) grows.push(6)
      return 5
    },
  })
  for (const values of [own, proxy, grows, []]) await channel.sendMany(values)
  t.deepEqual(
    Array.from({ length: channel.info().messages }, () => channel.tryReceive()),
    ['own', 3, 4, 5, 6],
  )
  await t.throwsAsync(channel.sendMany(new Array(2)), { instanceOf: TypeError }, 'a hole is undefined')
})

test('a message whose value or iterator closes the channel is not sent', async t => {
  const closing = (channel: Channel) => ({
    get first() {
      channel.close()
      return 1
    },
  })
  const closed = { code: 'ERR_CLOSED' }
  const [one, two, three] = [ownChannel(t), ownChannel(t), ownChannel(t)]
  await t.throwsAsync(one.send(closing(one)), closed)
  t.throws(() => two.trySend(closing(two)), closed)
  await t.throwsAsync(three.sendMany([1, closing(three), 3]), closed)
})

const aborting = {
  sendWith: (channel: Channel<Uint8Array>, controller: AbortController) =>
    channel.sendWith(
      1300,
      view => {
        controller.abort()
        view.fill(65)
      },
      controller,
    ),
  sendMany(channel: Channel<Uint8Array>, controller: AbortController) {
    function* values() {
      for (let count = 0; count < 64; count++) yield Buffer.alloc(8)
      // All before it are sent together.
      controller.abort()
      yield Buffer.alloc(1300, 'A')
    }
    return channel.sendMany(values(), controller)
  },
}
for (const [call, begin] of Object.entries(aborting)) {
  for (const waits of [false, true]) {
    const title = `a ${call} that its own callback aborts ${waits ? 'while it waits ' : ''}sends no more, and the next ones go on`
    test(title, async t => {
      const channel = ownChannel<Uint8Array>(t, { capacity: 4096, codec: 'bytes' })
      while (waits && channel.trySend(Buffer.alloc(500)));
      const aborted = begin(channel, new AbortController())
      const next = [channel.send(Buffer.alloc(900, 'x')), channel.send(Buffer.alloc(40, 'y'))]
      const received: string[] = []
      const draining = setInterval(() => channel.drain(view => received.push(String(view))), 1)
      t.teardown(() => clearInterval(draining))
      await t.throwsAsync(aborted, { name: 'AbortError' })
      await Promise.all(next)
      await until('the last one is received', () => received.at(-1)?.length === 40)
      t.deepEqual(received.slice(-2), ['x'.repeat(900), 'y'.repeat(40)])
      t.false(received.some(text => text.includes('A')))
    })
  }
}

test('sendMany resolves without another turn where all of its messages are sent', async t => {
  const channel = ownChannel<number>(t, { capacity: 65_536 })
  await t.notThrowsAsync(channel.sendMany(Array(1000).fill(1), { timeout: 0 }))
  t.is(
    channel.drain(() => {}),
    1000,
  )
})

test('a sendMany that gives up lets its iterator go', async t => {
  const channel = ownChannel<number>(t, { capacity: 64 })
  let open = 0
  function* endless() {
    open += 1
    try {
      for (;;) yield 1
    } finally {
      open -= 1
    }
  }
  const given = async (timeout: number, code: string) => {
    await t.throwsAsync(channel.sendMany(endless(), { timeout }), { code })
    await sleep(1)
    t.is(open, 0, `${timeout} ms, ${code}`)
  }
  await given(20, 'ETIMEDOUT')
  await given(0, 'ETIMEDOUT')
  await t.throwsAsync(channel.sendMany(endless(), { signal: AbortSignal.abort() }), { name: 'AbortError' })
  t.is(open, 0)
  Channel.unlink(channel.name)
  await given(1000, 'EIDRM')
})

test('sendWith writes in place; what throws is not sent', async t => {
  const channel = ownChannel<unknown>(t, { capacity: 256 })
  await channel.sendWith(4, view => view.set([1, 2, 3, 4]))
  t.deepEqual(await channel.receive(), Buffer.from([1, 2, 3, 4]))
  const failing = channel.sendWith(4, () => {
    throw new Error('no')
  })
  await t.throwsAsync(failing, { message: 'no' })
  const asynchronous = channel.sendWith(4, (async () => {}) as unknown as () => void)
  await t.throwsAsync(asynchronous, { instanceOf: TypeError })
  const nested = channel.sendWith(4, () => void channel.trySend(1))
  await t.throwsAsync(nested, { code: 'ERR_REENTERED' })
  t.is(channel.info().messages, 0)
  await channel.send('works')
  t.is(await channel.receive(), 'works')
})

test('drain shows each message in place; the one that visit throws at stays', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  for (let i = 1; i <= 5; i++) await channel.send(Buffer.from([i]))
  const seen: number[] = []
  const visit = (view: Uint8Array) => {
    if (view[0] === 4) throw new Error('four')
    seen.push(view[0] as number)
  }
  t.is(channel.drain(visit, 2), 2)
  t.throws(() => channel.drain(visit), { message: 'four' })
  t.throws(() => channel.drain(() => void channel.tryReceive()), { code: 'ERR_REENTERED' })
  t.deepEqual(seen, [1, 2, 3])
  t.deepEqual(await channel.receive(), Buffer.from([4]))
  t.is(channel.drain(visit), 1)
  t.is(channel.drain(visit), 0)
})

test('receiveInto fills a target, and leaves what is too large', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  await channel.send(Buffer.from('12345'))
  const small = new Uint8Array(4)
  await t.throwsAsync(channel.receiveInto(small), { code: 'ERR_MESSAGE_TOO_LARGE' })
  const target = Buffer.alloc(8, '.')
  t.is(await channel.receiveInto(target), 5)
  t.is(target.toString(), '12345...')
  await t.throwsAsync(channel.receiveInto('x' as unknown as Uint8Array), { instanceOf: TypeError })
  const waiting = channel.receiveInto(target)
  channel.end()
  t.is(await waiting, undefined)
})

test('prefetched messages come first and in order, whatever receives them', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 1024, codec: 'bytes' })
  await channel.sendMany(Array.from({ length: 10 }, (_, i) => Buffer.from([i])))
  t.deepEqual(await channel.receive({ prefetch: 6 }), Buffer.from([0]))
  t.is(channel.info().messages, 4)
  t.deepEqual(channel.tryReceive(), Buffer.from([1]))
  const target = Buffer.alloc(1)
  t.is(await channel.receiveInto(target), 1)
  t.is(target[0], 2)
  const seen: number[] = []
  channel.drain(view => seen.push(view[0] as number), 1)
  for await (const batch of channel.batches({ max: 3 })) {
    seen.push(...batch.map(([byte]) => byte as number))
    if (seen.length === 7) break
  }
  t.deepEqual(seen, [3, 4, 5, 6, 7, 8, 9])
})

test('iterating and streaming end with the channel', async t => {
  const channel = ownChannel<string>(t)
  await channel.sendMany(['a', 'b', 'c', 'd'])
  const seen: string[] = []
  for await (const message of channel) {
    seen.push(message)
    if (seen.length === 2) break
  }
  channel.end()
  t.deepEqual(await Readable.from(channel).toArray(), ['c', 'd'])
  t.deepEqual(seen, ['a', 'b'])
  for await (const _ of channel.batches()) t.fail()
})

test('receives that succeed at once let timers run', async t => {
  const channel = ownChannel<number>(t, { capacity: 1024 })
  let ran = false
  setTimeout(() => {
    ran = true
  }, 1)
  for (let turn = 0; !ran && turn < 10_000_000; turn++) {
    await channel.send(turn)
    t.is(await channel.receive(), turn)
  }
  t.true(ran)
})

test('a value that a getter changes the channel with is sent whole', async t => {
  const channel = ownChannel<unknown>(t)
  const tricky = {
    get first() {
      channel.trySend('inner')
      return 1
    },
    second: new Map(),
  }
  await channel.send(tricky)
  const values: unknown[] = []
  while (channel.info().messages > 0) values.push(channel.tryReceive())
  t.deepEqual(values.at(-1), { first: 1, second: new Map() })
  t.true(values.slice(0, -1).every(value => value === 'inner'))
})

test('a send whose message does not fit behind the end of the ring sleeps until there is room', async t => {
  const channel = ownChannel<Uint8Array>(t, { capacity: 64, codec: 'bytes' })
  for (const length of [16, 0, 0]) await channel.send(Buffer.alloc(length))
  await channel.receive()
  // The ring is used up to a half, and what is free lies at its end and at its start.
  let waits = 0
  const listener = (message: unknown) => {
    if ((message as { name: string }).name === channel.name) waits += 1
  }
  subscribe('os-ipc:channel:wait', listener)
  t.teardown(() => unsubscribe('os-ipc:channel:wait', listener))
  const sending = channel.send(Buffer.alloc(24))
  for (let turn = 0; turn < 100; turn++) await new Promise(resolve => setImmediate(resolve))
  // A sender that wakes itself begins to wait again and again.
  t.is(waits, 1)
  await channel.receive()
  await channel.receive()
  await sending
  t.is((await channel.receive())?.length, 24)
})

for (const [what, codec, value, capacity] of [
  ['bytes', 'bytes', Buffer.alloc(56), 8192],
  // Room for the longest encoding of a text is tried first, and then room for its own.
  ['short texts', 'structured', 'a'.repeat(20), 4096],
  ['long texts', 'structured', '\u00e9'.repeat(400), 65_536],
] as const) {
  test(`a send that found room at last resolves, though the event loop has to turn first: ${what}`, async t => {
    const channel = ownChannel<unknown>(t, { capacity, codec })
    // All positions in the ring, and all numbers of calls between two turns of the event loop.
    for (let turn = 0; turn < 3000; turn++) {
      const values = Array(1 + (turn % 37)).fill(value)
      if (turn % 5 === 0) for (const one of values) await channel.send(one)
      else await channel.sendMany(values)
      t.is(
        channel.drain(() => {}),
        values.length,
      )
    }
  })
}

test('a message whose memory other messages share cannot be transferred', async t => {
  const channel = ownChannel<Buffer | string>(t, { capacity: 1 << 18 })
  const refused = { name: 'DataCloneError' }
  for (let number = 0; number < 5; number++) await channel.send(Buffer.alloc(1000, number))
  const [first, second] = [await channel.receive(), await channel.receive()] as [Buffer, Buffer]
  t.throws(() => structuredClone(first, { transfer: [first.buffer as ArrayBuffer] }), refused)
  t.is(second.length, 1000)
  while (channel.tryReceive() !== undefined);
  for (let number = 0; number < 60; number++) {
    await channel.send(number % 2 ? 'text'.repeat(300) : Buffer.alloc(1000, number))
  }
  const ahead = (await channel.receive({ prefetch: 64 })) as Buffer
  t.throws(() => structuredClone(ahead, { transfer: [ahead.buffer as ArrayBuffer] }), refused)
  for (let number = 1; number < 60; number++) {
    const message = await channel.receive({ prefetch: 64 })
    t.deepEqual(message, number % 2 ? 'text'.repeat(300) : Buffer.alloc(1000, number))
  }
})

test('sendMany goes on where its iterator found no room for another message', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 1 << 20, codec: 'bytes' })
  const large = Buffer.alloc(channel.maxMessage)
  t.true(channel.trySend(large))
  t.true(channel.trySend(Buffer.alloc(8)))
  function* values() {
    for (let number = 0; number < 2000; number++) {
      channel.trySend(large)
      yield Buffer.alloc(8)
    }
  }
  await channel.sendMany(values(), { timeout: 20_000 })
  t.is(channel.info().messages, 2002)
})

test('subscribers can use the channel that they are told of', async t => {
  const channel = ownChannel<Buffer | number>(t, { capacity: 1 << 16 })
  const received: unknown[] = []
  let calls = 0
  const onReceived = ({ name }: { name: string }) => {
    if (name !== channel.name || calls++ > 0) return
    void channel.receive({ prefetch: 20 }).then(value => received.push(value))
  }
  subscribe('os-ipc:channel:received', onReceived as () => void)
  for (let number = 0; number < 50; number++) channel.trySend(number)
  for (let turn = 0; turn < 49; turn++) received.push(await channel.receive({ prefetch: 20 }))
  t.deepEqual(
    received.toSorted((a, b) => Number(a) - Number(b)),
    Array.from({ length: 50 }, (_, number) => number),
  )
  unsubscribe('os-ipc:channel:received', onReceived as () => void)

  const found: unknown[] = []
  let uses = 0
  const use = ({ name }: { name: string }) => {
    if (name === channel.name && uses++ === found.length) found.push(channel.tryReceive())
  }
  subscribe('os-ipc:channel:sent', use as () => void)
  await channel.sendWith(3, view => void view.fill(7))
  unsubscribe('os-ipc:channel:sent', use as () => void)
  t.deepEqual(found, [Buffer.alloc(3, 7)])
  uses = 1
  channel.trySend(1)
  channel.trySend(2)
  subscribe('os-ipc:channel:received', use as () => void)
  t.is(
    channel.drain(() => {}, 1),
    1,
  )
  unsubscribe('os-ipc:channel:received', use as () => void)
  t.is(found[1], 2)
})
