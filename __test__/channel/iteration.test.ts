// The end of an iteration: what it did not give to its loop stays in the channel.

import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { ownChannel } from './helpers/channel.ts'

const turns = async () => {
  for (let turn = 0; turn < 5; turn += 1) await setImmediate()
}

for (const kind of ['values', 'batches'] as const) {
  test(`an iterator that returns while it waits takes nothing (${kind})`, async t => {
    const channel = ownChannel<string>(t)
    const iterator = kind === 'values' ? channel[Symbol.asyncIterator]() : channel.batches()
    const pending = iterator.next()
    await turns()
    t.deepEqual(await iterator.return?.(), { value: undefined, done: true })
    t.deepEqual(await pending, { value: undefined, done: true })
    await channel.send('a job')
    await turns()
    t.is(await channel.receive(), 'a job')
  })
}

test('an iterator that returns behind another receive takes nothing', async t => {
  const channel = ownChannel<string>(t)
  const first = channel.receive()
  const iterator = channel[Symbol.asyncIterator]()
  const pending = iterator.next()
  await iterator.return?.()
  await channel.send('one')
  t.is(await first, 'one')
  t.deepEqual(await pending, { value: undefined, done: true })
  await channel.send('two')
  t.is(await channel.receive(), 'two')
})

const ends: [string, (t: ExecutionContext, source: Readable) => Promise<void>][] = [
  [
    'a destroyed stream',
    async (_, stream) => {
      stream.on('data', () => {})
      await turns()
      stream.destroy()
    },
  ],
  [
    'an aborted pipeline',
    async (t, stream) => {
      const abort = new AbortController()
      const sink = async (source: AsyncIterable<unknown>) => {
        for await (const _ of source);
      }
      const end = pipeline(stream, sink, { signal: abort.signal })
      await turns()
      abort.abort()
      await t.throwsAsync(end, { name: 'AbortError' })
    },
  ],
  [
    'a cancelled web stream',
    async (_, stream) => {
      const reader = Readable.toWeb(stream).getReader()
      const read = reader.read()
      await turns()
      await reader.cancel()
      await read
    },
  ],
]
for (const [title, end] of ends) {
  test(`${title} leaves the messages that come later`, async t => {
    const channel = ownChannel<string>(t)
    await end(t, Readable.from(channel))
    await turns()
    await channel.send('a job')
    await turns()
    t.is(await channel.receive(), 'a job')
  })
}
