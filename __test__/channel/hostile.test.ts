// Nonsense in the memory of a channel is an error: no crash, no endless loop, no message that nobody sent.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'

import test from 'ava'
import fc from 'fast-check'

import { Channel, IpcError, SharedMemory } from '../../index.js'
import { memoryName } from './helpers/objects.ts'
import { ownChannel } from './helpers/channel.ts'

const HEADER = 8192
const [END, BEGIN, STATE] = [16, 32, 50]

test('positions work just below 2^31 and 2^32, where they wrap around', t => {
  for (const start of [2 ** 31 - 4, -4]) {
    const channel = ownChannel<number>(t, { capacity: 64 })
    using memory = SharedMemory.open(memoryName(channel.name))
    const words = new Int32Array(memory.buffer)
    words[END] = start
    words[BEGIN] = start
    for (let i = 0; i < 50; i++) {
      t.true(channel.trySend(i))
      t.true(channel.trySend(-i - 1))
      t.is(channel.tryReceive(), i)
      t.is(channel.tryReceive(), -i - 1)
    }
    t.is(channel.info().bytes, 0)
  }
})

test('a message of the largest size goes through at every position of the ring', async t => {
  const channel = ownChannel<Buffer>(t, { capacity: 256, codec: 'bytes' })
  t.is(channel.maxMessage, 120)
  for (let small = 0; small < 64; small++) {
    await channel.send(Buffer.alloc(1 + (small % 9), 1))
    await channel.receive()
    const large = Buffer.alloc(120, small)
    await channel.send(large, { timeout: 1000 })
    t.deepEqual(await channel.receive(), large)
  }
})

test('a message that is too large is refused', async t => {
  const channel = ownChannel(t, { capacity: 256 })
  for (const value of [Buffer.alloc(121), 'x'.repeat(121), '€'.repeat(41), Array(60).fill(1)]) {
    await t.throwsAsync(channel.send(value), { code: 'ERR_MESSAGE_TOO_LARGE' })
    t.throws(() => channel.trySend(value), { code: 'ERR_MESSAGE_TOO_LARGE' })
  }
  await t.throwsAsync(
    channel.sendWith(121, () => {}),
    { code: 'ERR_MESSAGE_TOO_LARGE' },
  )
  await channel.send('x'.repeat(120))
})

/** What a call may end with when a peer wrote nonsense. */
const CODES = new Set([
  'ERR_CORRUPT',
  'ERR_BAD_MESSAGE',
  'ERR_ENDED',
  'EIDRM',
  'ETIMEDOUT',
  'ERR_MESSAGE_TOO_LARGE',
])

test.serial('nonsense in records and positions is an error', async t => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.nat(31), fc.integer())),
      fc.integer(),
      fc.integer(),
      fc.nat(7),
      async (records, begin, used, state) => {
        const channel = Channel.create('/os-ipc-nonsense', { capacity: 128 })
        try {
          using memory = SharedMemory.open(memoryName(channel.name))
          const words = new Int32Array(memory.buffer)
          for (const [place, word] of records) words[HEADER / 4 + place] = word
          words[BEGIN] = begin
          words[END] = begin + (used % 20)
          words[STATE] = state
          for (let call = 0; call < 40; call++) {
            try {
              channel.tryReceive()
              channel.drain(() => {}, 1)
              channel.trySend('x')
              channel.info()
              await channel.receiveInto(Buffer.alloc(64), { timeout: 0 })
            } catch (error) {
              if (!(error instanceof IpcError && CODES.has(error.code))) throw error
            }
          }
        } finally {
          channel.close()
          channel.unlink()
        }
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

test.serial('nonsense in the header is an error', t => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(63), fc.integer()), { minLength: 1, maxLength: 8 }), changes => {
      const channel = Channel.create('/os-ipc-nonsense', { capacity: 128 })
      const kept = Buffer.alloc(256)
      const memory = SharedMemory.open(memoryName(channel.name))
      try {
        memory.read(kept)
        const words = new Int32Array(memory.buffer)
        for (const [place, word] of changes) if (place !== 0) words[place] = word
        try {
          Channel.open('/os-ipc-nonsense').close()
        } catch (error) {
          t.true(error instanceof IpcError, String(error))
        }
      } finally {
        memory.write(kept)
        memory.close()
        channel.close()
        channel.unlink()
      }
    }),
    { numRuns: 300 },
  )
})

test('a corrupt channel stays corrupt for everybody', async t => {
  const channel = ownChannel(t, { capacity: 128 })
  const other = Channel.open(channel.name)
  t.teardown(() => other.close())
  await channel.send('x')
  using memory = SharedMemory.open(memoryName(channel.name))
  new Int32Array(memory.buffer)[HEADER / 4] = -7
  t.throws(() => channel.tryReceive(), { code: 'ERR_CORRUPT' })
  await t.throwsAsync(other.receive(), { code: 'ERR_CORRUPT' })
  await t.throwsAsync(other.send(1), { code: 'ERR_CORRUPT' })
  t.throws(() => Channel.openOrCreate(channel.name, { capacity: 128 }).trySend(1), { code: 'ERR_CORRUPT' })
})

test('a message that cannot be decoded is an error, and the next one comes', async t => {
  const channel = ownChannel<unknown>(t, { capacity: 1024 })
  using memory = SharedMemory.open(memoryName(channel.name))
  const words = new Int32Array(memory.buffer)
  await channel.send('x')
  words[HEADER / 4 + 1] = 99
  await channel.send('not JSON')
  words[HEADER / 4 + 5] = 7
  await channel.send(Buffer.from('not V8'))
  words[HEADER / 4 + 9] = 3
  await channel.send('last')
  for (let i = 0; i < 3; i++) await t.throwsAsync(channel.receive(), { code: 'ERR_BAD_MESSAGE' })
  t.is(await channel.receive(), 'last')
})

/** Words of the header that a peer writes while we use the channel: positions, locks, sleepers, state, and slots. */
const PLACES = [16, 17, 18, 32, 33, 34, 48, 49, 50, ...Array.from({ length: 16 }, (_, word) => 1024 + word)]

test.serial(
  'a peer that writes nonsense during every call causes errors, never a crash or an endless loop',
  async t => {
    const capacity = 256
    const own = Array.from({ length: capacity / 4 }, (_, word) => HEADER / 4 + word)
    const seen = new Set<string>()
    let done = 0
    for (let round = 0; round < 16; round++) {
      const channel = ownChannel<Buffer>(t, { capacity, codec: 'bytes' })
      const name = memoryName(channel.name)
      // The first rounds change records alone: their lengths change between any two reads of them.
      const places = round % 2 === 0 ? own : [...own, ...PLACES]
      const writer = new Worker(new URL('fixtures/scribble.ts', import.meta.url), {
        workerData: { name, places },
        execArgv: ['--disable-warning=ExperimentalWarning'],
      })
      await once(writer, 'message')
      const target = Buffer.alloc(40)
      for (let turn = 0; turn < 200; turn++) {
        for (const call of [
          () => channel.trySend(Buffer.alloc(turn % 60, turn)),
          () => channel.tryReceive(),
          () => channel.drain(view => void t.true(view.length <= channel.maxMessage), 2),
          () => channel.info(),
          () => channel.sendMany([Buffer.alloc(3), Buffer.alloc(50)], { timeout: 1 }),
          () => channel.receiveInto(target, { timeout: 1 }),
          () => channel.receive({ timeout: 1, prefetch: 4 }),
        ]) {
          try {
            const result = call()
            if (turn % 20 === 0) await result
            else if (result instanceof Promise) result.catch(() => {})
            done += 1
          } catch (error) {
            if (!(error instanceof IpcError && CODES.has(error.code))) throw error
            seen.add(error.code)
          }
        }
      }
      await writer.terminate()
      channel.close()
    }
    t.true(done > 0)
    t.true(seen.has('ERR_CORRUPT'), [...seen].join())
  },
)

test('info() of a channel with impossible positions is short work', t => {
  const channel = ownChannel(t, { capacity: 64 })
  using memory = SharedMemory.open(memoryName(channel.name))
  const words = new Int32Array(memory.buffer)
  for (const end of [2 ** 31 - 1, 9, -1]) {
    words[END] = end
    t.true(channel.info().bytes <= channel.capacity)
    t.throws(() => channel.tryReceive(), { code: 'ERR_CORRUPT' })
    words[STATE] = 0
  }
})
