// Any sequence of calls on several handles does what a model of a queue does.

import { deepStrictEqual, ok } from 'node:assert/strict'

import test from 'ava'
import fc from 'fast-check'

import { Channel } from '../../index.js'
import { uniqueName } from '../shared/names.ts'

const CAPACITY = 256
const HANDLES = 3

const handle = fc.nat(HANDLES - 1)
const payload = fc.uint8Array({ maxLength: 130 })
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ call: fc.constant('trySend' as const), handle, payload }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('send' as const), handle, payload }) },
  { weight: 3, arbitrary: fc.record({ call: fc.constant('tryReceive' as const), handle }) },
  { weight: 2, arbitrary: fc.record({ call: fc.constant('receive' as const), handle }) },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant('drain' as const),
      handle,
      most: fc.integer({ min: 1, max: 4 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ call: fc.constant('receiveInto' as const), handle, room: fc.nat(130) }),
  },
  { weight: 1, arbitrary: fc.record({ call: fc.constant('reopen' as const), handle }) },
  {
    weight: 1,
    arbitrary: fc.record({
      call: fc.constant('sendMany' as const),
      handle,
      payloads: fc.array(payload, { maxLength: 4 }),
    }),
  },
)

type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

const bytes = (value: unknown) => Buffer.from(value as Uint8Array).toString('hex')

async function play(name: string, steps: readonly Step[]): Promise<void> {
  const open = () => Channel.open<Uint8Array>(name)
  const first = Channel.create<Uint8Array>(name, { capacity: CAPACITY, codec: 'bytes' })
  const handles = Array.from({ length: HANDLES }, open)
  const queue: string[] = []
  const most = first.maxMessage
  try {
    for (const one of steps) {
      const channel = handles[one.handle] as Channel<Uint8Array>
      if (one.call === 'trySend' || one.call === 'send') {
        const { payload } = one
        try {
          const sent =
            one.call === 'trySend'
              ? channel.trySend(payload)
              : await channel.send(payload, { timeout: 0 }).then(
                  () => true,
                  error => {
                    if (error.code === 'ETIMEDOUT') return false
                    throw error
                  },
                )
          ok(payload.length <= most)
          // An empty channel has room for every message.
          ok(sent || queue.length > 0)
          if (sent) queue.push(bytes(payload))
        } catch (error) {
          if ((error as { code?: string }).code !== 'ERR_MESSAGE_TOO_LARGE') throw error
          ok(payload.length > most)
        }
      } else if (one.call === 'sendMany') {
        const fitting = one.payloads.filter(({ length }) => length <= most)
        const before = channel.info().messages
        await channel
          .sendMany(fitting, { timeout: 0 })
          .catch(error => deepStrictEqual(error.code, 'ETIMEDOUT'))
        const sent = channel.info().messages - before
        queue.push(...fitting.slice(0, sent).map(bytes))
      } else if (one.call === 'tryReceive') {
        const found = channel.tryReceive()
        deepStrictEqual(found === undefined ? undefined : bytes(found), queue.shift())
      } else if (one.call === 'receive') {
        if (queue.length > 0) deepStrictEqual(bytes(await channel.receive()), queue.shift())
      } else if (one.call === 'drain') {
        const seen: string[] = []
        const number = channel.drain(view => seen.push(bytes(view)), one.most)
        deepStrictEqual(seen.length, number)
        deepStrictEqual(seen, queue.splice(0, one.most))
      } else if (one.call === 'receiveInto') {
        const target = Buffer.alloc(one.room)
        const expected = queue[0]
        const length = await channel.receiveInto(target, { timeout: 0 }).catch(error => error.code as string)
        if (expected === undefined) deepStrictEqual(length, 'ETIMEDOUT')
        else if (expected.length / 2 > one.room) deepStrictEqual(length, 'ERR_MESSAGE_TOO_LARGE')
        else deepStrictEqual(bytes(target.subarray(0, length as number)), queue.shift())
      } else {
        channel.close()
        handles[one.handle] = open()
      }
      deepStrictEqual(first.info().messages, queue.length)
    }
  } finally {
    for (const channel of handles) channel.close()
    first.unlink()
    first.close()
  }
}

test('any sequence of calls on three handles does what a queue does', async t => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => play(uniqueName(t), steps)),
    { numRuns: 150, interruptAfterTimeLimit: 60_000 },
  )
  t.pass()
})
