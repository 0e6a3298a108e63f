// Channels shared with programs in C, Go and Python, which know the layout from docs/interop.md and nothing else.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import type { Channel } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { answer, c, type Peer, peers } from '../shared/peers.ts'
import { linux, requires } from '../shared/requires.ts'
import { ownChannel } from './helpers/channel.ts'
import { memoryOf } from './helpers/memory.ts'

/** A limit for every wait: nothing here takes so long. */
const timeout = 20_000

const hex = (text: string) => Buffer.from(text).toString('hex')

/** A new channel. Small, so that streams go around it many times. */
function channel<T = unknown>(t: ExecutionContext, codec: 'bytes' | 'json' | 'structured' = 'structured') {
  return ownChannel<T>(t, { capacity: 4096, codec })
}

/** Message `number` of the stream `tag`, as the peers send and check it. */
function streamed(tag: number, number: number, most: number): Buffer {
  const message = Buffer.alloc(8 + ((number * 7919) % (most - 7)))
  message.writeUInt32LE(tag)
  message.writeUInt32LE(number, 4)
  for (let index = 8; index < message.length; index++) message[index] = number + index
  return message
}

async function sendStream(to: Channel<Buffer>, count: number, tag: number, most: number): Promise<void> {
  for (let number = 0; number < count; number++) await to.send(streamed(tag, number, most), { timeout })
}

const call = (
  peer: Peer,
  t: ExecutionContext,
  { name }: { readonly name: string },
  verb: string,
  ...rest: (string | number)[]
) => peer.run(t, 'channel', verb, name, ...rest)
const begin = (
  peer: Peer,
  t: ExecutionContext,
  { name }: { readonly name: string },
  verb: string,
  ...rest: (string | number)[]
) => peer.start(t, ['channel', verb, name, ...rest])

for (const peer of peers) {
  const { language } = peer

  requires(linux, peer)(`${language} receives every kind of message`, async t => {
    const values = channel(t)
    await values.send(Buffer.from('xyz'))
    await values.send(new Uint8Array([1, 2]))
    await values.send('é€')
    await values.send({ a: 'é' })
    await values.send(Buffer.alloc(0))
    t.is(
      await call(peer, t, values, 'receive', 5),
      `1:${hex('xyz')} 5:0102 4:${hex('é€')} 2:${hex('{"a":"é"}')} 1:`,
    )
    await values.send('ascii')
    await values.send([1])
    t.is(await call(peer, t, values, 'receive', 2), `6:${hex('ascii')} 7:${hex('[1]')}`)
  })

  requires(linux, peer)(`we receive every kind of message that ${language} sends`, async t => {
    const values = channel(t)
    t.is(await call(peer, t, values, 'send', 1, hex('abc'), hex('d')), 'ok')
    t.is(await call(peer, t, values, 'send', 2, hex('{"b":[1]}')), 'ok')
    t.is(await call(peer, t, values, 'send', 4, hex('é')), 'ok')
    t.is(await call(peer, t, values, 'send', 5, hex('u')), 'ok')
    t.is(await call(peer, t, values, 'send', 256, hex('own')), 'ok')
    const received: unknown[] = []
    for (let n = 0; n < 5; n++) received.push(await values.receive({ timeout }))
    t.deepEqual(received, [Buffer.from('abc'), Buffer.from('d'), { b: [1] }, 'é', new Uint8Array([117])])
    const own = Buffer.alloc(3)
    t.is(await values.receiveInto(own, { timeout }), 3)
    t.is(own.toString(), 'own')
  })

  for (const [where, position] of [
    ['from the start', 0],
    ['over the largest position', 0x7fff_ff00],
    ['over the wrap of positions', -0x100],
  ] as const) {
    requires(linux, peer)(`streams from and to ${language} are whole and in order, ${where}`, async t => {
      const frames = channel<Buffer>(t, 'bytes')
      moveTo(frames, position)
      const sends = begin(peer, t, frames, 'stream', 2_000, 7, 900)
      for (let number = 0; number < 2_000; number++) {
        const message = await frames.receive({ timeout })
        if (!message?.equals(streamed(7, number, 900))) t.fail(`message ${number}`)
      }
      t.is(await answer(sends), 'ok')
      const receives = begin(peer, t, frames, 'drain')
      await sendStream(frames, 2_000, 9, 900)
      frames.end()
      t.is(await answer(receives), '9=2000')
      t.is(await frames.receive({ timeout }), undefined)
    })
  }

  requires(linux, peer)(`${language} and Node send at once, to receivers of all languages`, async t => {
    const frames = channel<Buffer>(t, 'bytes')
    const senders = [
      begin(peer, t, frames, 'stream', 1_000, 1, 300),
      begin(c, t, frames, 'stream', 1_000, 2, 300),
    ]
    const ours = sendStream(frames, 1_000, 3, 300)
    const receives = begin(peer, t, frames, 'drain')
    for (const sender of senders) t.is(await answer(sender), 'ok')
    await ours
    frames.end()
    t.is(await answer(receives), '1=1000 2=1000 3=1000')
  })

  requires(linux, peer)(`${language} sleeps until a message, room or the end comes`, async t => {
    const frames = channel<Buffer>(t, 'bytes')
    const receives = begin(peer, t, frames, 'receive', 2)
    await asleep(frames, 192)
    await frames.send(Buffer.from('a'))
    await asleep(frames, 192)
    frames.end()
    t.is(await answer(receives), '1:61 end')

    const full = channel<Buffer>(t, 'bytes')
    for (const length of [1000, 0]) while (full.trySend(Buffer.alloc(length))) {}
    const sends = begin(peer, t, full, 'send', 1, hex('late'))
    await asleep(full, 196)
    let last: Buffer | undefined
    while (last?.length !== 4) last = await full.receive({ timeout })
    t.is(last.toString(), 'late')
    t.is(await answer(sends), 'ok')
  })

  requires(linux, peer)(`${language} ends a channel for a receiver of ours`, async t => {
    const frames = channel<Buffer>(t, 'bytes')
    const received = frames.receive({ timeout })
    t.is(await call(peer, t, frames, 'end'), 'ok')
    t.is(await received, undefined)
    await t.throwsAsync(call(peer, t, frames, 'send', 1, '00'), { code: 'ERR_GONE' })
  })

  requires(linux, peer)(`${language} goes on after a process of ours died with a lock`, async t => {
    for (const side of ['send', 'receive']) {
      const frames = channel<Buffer>(t, 'bytes')
      if (side === 'receive') await frames.send(Buffer.from('left'))
      const killed = child(t, 'channel/die-with-lock.ts', { args: [frames.name, side] })
      t.is((await killed.exit).signal, 'SIGKILL')
      if (side === 'send') t.is(await call(peer, t, frames, 'send', 1, hex('on')), 'ok')
      t.is(await call(peer, t, frames, 'receive'), `1:${hex(side === 'send' ? 'on' : 'left')}`)
    }
  })

  requires(linux, peer)(`we go on after ${language} died while it received`, async t => {
    const frames = channel<Buffer>(t, 'bytes')
    await frames.send(Buffer.from('left'))
    const holds = begin(peer, t, frames, 'hold', 'receive')
    t.is(await holds.next(), 'held')
    const received = frames.receive({ timeout })
    holds.kill('SIGKILL')
    t.is((await received)?.toString(), 'left', 'it was not taken')
  })

  requires(linux, peer)(`${language} refuses a channel that is not there`, async t => {
    await t.throwsAsync(peer.run(t, 'channel', 'end', uniqueName(t)), { code: 'ENOENT' })
  })
}

requires(linux, c)('we go on after C died with a record half written', async t => {
  const frames = channel<Buffer>(t, 'bytes')
  const holds = begin(c, t, frames, 'hold', 'send')
  t.is(await holds.next(), 'held')
  const sends = frames.send(Buffer.from('on'), { timeout })
  t.is(await Promise.race([sends, sleep(200, 'waits')]), 'waits', 'its owner is alive')
  t.deepEqual(frames.info().sending, holds.pid)
  holds.kill('SIGKILL')
  await sends
  t.is((await frames.receive({ timeout }))?.toString(), 'on')
})

requires(linux, c)('C refuses a message that ends behind the ring', async t => {
  const frames = ownChannel<Buffer>(t, { capacity: 128, codec: 'bytes' })
  moveTo(frames, 12)
  for (let number = 0; number < 3; number++) await frames.send(Buffer.alloc(8, number))
  {
    using memory = memoryOf(frames.name)
    // 40 bytes are 6 units of 8 bytes: as many as are used, but only 4 are left before the end.
    new Int32Array(memory.buffer, 8192 + 12 * 8)[0] = 40
  }
  await t.throwsAsync(call(c, t, frames, 'receive', 1), { code: 'ERR_GONE' })
  await t.throwsAsync(frames.receive(), { code: 'ERR_CORRUPT' })
})

/** Moves the positions of an empty channel. */
function moveTo({ name }: { readonly name: string }, position: number): void {
  using memory = memoryOf(name)
  const words = new Int32Array(memory.buffer)
  for (const offset of [64, 128]) words[offset / 4] = position
}

/** Waits until a process sleeps on a side: `receiversAsleep` is at 192, `sendersAsleep` at 196. */
async function asleep({ name }: { readonly name: string }, offset: number): Promise<void> {
  using memory = memoryOf(name)
  const words = new Int32Array(memory.buffer)
  for (const until = Date.now() + timeout; Atomics.load(words, offset / 4) === 0; await sleep(1)) {
    if (Date.now() > until) throw new Error('no process sleeps')
  }
}
