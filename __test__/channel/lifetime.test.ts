// Workers, exits, collection, unref: a channel holds nothing back, and nothing holds it up.

import { createContext, runInContext } from 'node:vm'

import test from 'ava'

import { Channel, IpcError, Semaphore, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { exists, keyOf, uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { ownChannel } from './helpers/channel.ts'
import { memoryName, wakeNames } from './helpers/objects.ts'

for (const node of nodes) {
  test(`workers that are terminated under a lock or at any moment keep nothing on Node ${node.major}`, async t => {
    const name = uniqueName(t)
    t.teardown(() => Channel.unlink(name))
    const main = child(t, 'channel/terminate-workers.ts', { node, args: [name] })
    const { last, senders, receivers } = (await main.next()) as Record<string, unknown>
    t.is(last, 'after')
    // The main thread itself.
    t.deepEqual([senders, receivers], [[main.pid], []])
    const { code, stderr } = await main.exit
    t.is(code, 0, stderr)
  })
}

for (const how of ['exit', 'unref', 'close'] as const) {
  test(`a process with a pending receive ends: ${how}`, async t => {
    const channel = ownChannel(t)
    const process = child(t, 'channel/endings.ts', { args: [channel.name, how], limit: 20_000 })
    t.is(await process.next(), 'open')
    if (how === 'close') t.is(await process.next(), 'ERR_CLOSED')
    t.is((await process.exit).code, 0)
    await channel.send('x')
    t.is(await channel.receive(), 'x')
  })
}

test('channels that were not closed give their slots back when they are collected', async t => {
  const channel = ownChannel(t)
  const process = child(t, 'channel/endings.ts', {
    args: [channel.name, 'collected'],
    nodeArgs: ['--expose-gc'],
  })
  t.is((await process.exit).code, 0)
})

test('unlink removes all objects, before and after close', t => {
  for (const first of ['close', 'unlink'] as const) {
    const name = uniqueName(t)
    const channel = Channel.create(name, { capacity: 64 })
    const memory = memoryName(name)
    channel[first]()
    channel[first === 'close' ? 'unlink' : 'close']()
    channel.unlink()
    t.throws(() => Channel.open(name), { code: 'ENOENT' })
    t.false(exists('shm', keyOf(memory)))
  }
})

test('unlink after close leaves a newer channel of the name alone', async t => {
  const name = uniqueName(t)
  t.teardown(() => Channel.unlink(name))
  const old = Channel.create(name, { capacity: 64 })
  old.close()
  Channel.unlink(name)
  const other = Channel.create(name, { capacity: 64 })
  old.unlink()
  const opened = Channel.open(name)
  await other.send(1)
  t.is(await opened.receive({ timeout: 5_000 }), 1)
  opened.close()
  other.close()
})

test('openOrCreate finishes what a killed creator began', async t => {
  const name = uniqueName(t)
  t.teardown(() => Channel.unlink(name))
  let finished = 0
  for (let step = 1; finished === 0 && step < 60; step++) {
    const creator = child(t, 'channel/create-killed-at.ts', { args: [name, step] })
    const { killed, code } = await creator.exit
    if (!killed) {
      t.is(code, 0)
      finished = step
    }
    const begun = wakesOf(name)
    const channel = Channel.openOrCreate<number>(name, { capacity: 256 })
    await channel.send(step)
    t.is(await channel.receive({ timeout: 5_000 }), step)
    channel.unlink()
    channel.close()
    for (const semaphore of begun)
      t.throws(() => Semaphore.open(semaphore), { code: 'ENOENT' }, `step ${step}`)
  }
  t.true(finished > 3, `it ended at step ${finished}`)
})

/** The names of the semaphores that the header in the memory of a channel leads to. */
function wakesOf(name: string): string[] {
  try {
    using memory = SharedMemory.open(memoryName(name))
    return wakeNames(name, memory.toBuffer(24, 8))
  } catch (error) {
    // It was killed before it made the memory.
    if (error instanceof IpcError && error.code === 'ENOENT') return []
    throw error
  }
}

for (const call of ['drain', 'sendWith'] as const) {
  test(`a callback of ${call} that the timeout of a vm script ends leaves the channel free`, async t => {
    const channel = ownChannel<Buffer>(t, { capacity: 4096, codec: 'bytes' })
    using other = Channel.open<Buffer>(channel.name)
    await channel.send(Buffer.from('first'))
    const forever = () => {
      for (;;);
    }
    const calls = {
      drain: (visit: () => void) => channel.drain(visit),
      sendWith: (fill: () => void) => void channel.sendWith(8, fill),
    }
    const context = createContext({ call: calls[call], forever })
    for (let turn = 0; turn < 2; turn++) {
      t.throws(() => runInContext('call(forever)', context, { timeout: 1_000 }), {
        code: 'ERR_SCRIPT_EXECUTION_TIMEOUT',
      })
      await Promise.resolve()
      t.is(channel.info().sending, undefined)
      t.is(channel.info().receiving, undefined)
    }
    t.true(other.trySend(Buffer.from('second')))
    t.deepEqual(other.tryReceive(), Buffer.from('first'), 'nothing was taken')
    t.deepEqual(channel.tryReceive(), Buffer.from('second'))
    await channel.sendWith(1, view => view.fill(1))
    t.is(
      channel.drain(() => {
        t.throws(() => channel.trySend(Buffer.from('x')), { code: 'ERR_REENTERED' })
      }),
      1,
    )
    t.is(channel.info().sent, channel.info().received)
  })
}

test('processes that come and go always open or make the channel', async t => {
  const name = uniqueName(t)
  t.teardown(() => Channel.unlink(name))
  const crew = [1, 2, 3].map(() => child(t, 'channel/come-and-go.ts', { args: [name, 100] }))
  for (const process of crew) t.deepEqual(await process.next(), [])
})

/** The word that counts the receivers that sleep: docs/interop.md. */
const RECEIVERS_ASLEEP = 48

test('a receiver that gives up when it is about to be woken does not stay in the count of sleepers', async t => {
  const channel = ownChannel<number>(t, { capacity: 4096 })
  using other = Channel.open<number>(channel.name)
  using memory = SharedMemory.open(memoryName(channel.name))
  const words = new Int32Array(memory.buffer)
  for (let number = 0; number < 50; number += 1) {
    const controller = new AbortController()
    const received = channel.receive({ signal: controller.signal })
    t.true(other.trySend(number))
    controller.abort()
    await t.throwsAsync(received, { name: 'AbortError' })
    t.is(channel.tryReceive(), number)
  }
  const last = channel.receive()
  t.true(words[RECEIVERS_ASLEEP] === 1, `${words[RECEIVERS_ASLEEP]} sleepers are counted`)
  t.true(other.trySend(-1))
  t.is(await last, -1)
  t.is(words[RECEIVERS_ASLEEP], 0)
})

test('unlink removes what a creator began that was killed before it wrote the whole name', t => {
  const name = uniqueName(t)
  const channel = Channel.create(name, { capacity: 64 })
  const semaphores = wakesOf(name)
  // Objects of Windows end with their last handle.
  using memory = SharedMemory.open(memoryName(name))
  channel.close()
  memory.write(new Uint8Array(4), 0)
  memory.write(new Uint8Array(255), 256)
  t.true(Channel.unlink(name))
  for (const semaphore of semaphores) t.throws(() => Semaphore.open(semaphore), { code: 'ENOENT' })
})
