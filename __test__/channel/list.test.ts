// list() shows a channel as one object; subscribers and console.log see what happens.

import { randomBytes } from 'node:crypto'
import { channel as diagnostics } from 'node:diagnostics_channel'
import { rmSync, writeFileSync } from 'node:fs'
import { inspect } from 'node:util'

import test from 'ava'

import { list, SharedMemory } from '../../index.js'
import { ownChannel } from './helpers/channel.ts'
import { memoryName, wakeNames } from './helpers/objects.ts'
import { inspection, linux, requires } from '../shared/requires.ts'

requires(inspection)('list() shows a channel, and not the objects that it is made of', async t => {
  const channel = ownChannel(t, { capacity: 1000, codec: 'json', mode: 0o640 })
  await channel.sendMany(['a', 'b', 'c'])
  await channel.receive()
  const { channels, memory, semaphores } = list()
  const found = channels.find(({ name }) => name === channel.name)
  t.like(found, {
    capacity: 1024,
    maxMessage: 504,
    codec: 'json',
    messages: 2,
    bytes: 32,
    sent: 3,
    received: 1,
    senders: [process.pid],
    receivers: [process.pid],
    ended: false,
    // Windows has no modes.
    mode: process.platform === 'win32' ? 0o600 : 0o640,
  })
  using header = SharedMemory.open(memoryName(channel.name))
  const [receivers, senders] = wakeNames(channel.name, header.toBuffer(24, 8))
  const names = [...memory, ...semaphores].map(({ name }) => name)
  for (const object of [memoryName(channel.name), receivers, senders]) t.false(names.includes(object))
})

requires(inspection)('memory that only has the name of a channel stays among the memory', t => {
  const channel = ownChannel(t)
  using memory = SharedMemory.open(memoryName(channel.name))
  memory.write(Buffer.alloc(4))
  const { channels, memory: all } = list()
  t.false(channels.some(({ name }) => name === channel.name))
  t.true(all.some(({ name }) => name === memoryName(channel.name)))
  memory.write('oChn')
})

test.serial('subscribers learn what is sent, received and waited for', async t => {
  const channel = ownChannel(t)
  const told: unknown[] = []
  const names = ['sent', 'received', 'wait'].map(event => `os-ipc:channel:${event}`)
  const note = (message: unknown, name: string | symbol) => {
    if ((message as { name: string }).name === channel.name) told.push([name, message])
  }
  for (const name of names) diagnostics(name).subscribe(note)
  t.teardown(() => {
    for (const name of names) diagnostics(name).unsubscribe(note)
  })
  const receiving = channel.receive()
  await channel.send('x')
  await receiving
  await channel.sendMany([1, 2])
  t.is(
    channel.drain(() => {}),
    2,
  )
  const { name } = channel
  t.deepEqual(told, [
    ['os-ipc:channel:wait', { name, side: 'receive' }],
    ['os-ipc:channel:sent', { name, messages: 1 }],
    ['os-ipc:channel:received', { name, messages: 1 }],
    ['os-ipc:channel:sent', { name, messages: 2 }],
    ['os-ipc:channel:received', { name, messages: 2 }],
  ])
})

test('console.log shows the facts of a channel, and whether it is closed', t => {
  const channel = ownChannel(t)
  channel.trySend('one')
  const shown = () => inspect(channel, { breakLength: Number.POSITIVE_INFINITY })
  const head = `Channel { name: '${channel.name}', capacity: 4096, codec: 'structured'`
  t.is(
    shown(),
    `${head}, messages: 1, bytes: 16, senders: [ ${process.pid} ], receivers: [], ended: false, removed: false }`,
  )
  channel.close()
  t.is(shown(), `${head}, closed: true }`)
})

requires(linux)('list() does not wait for memory that has no size', t => {
  // Each one would take a second.
  const files = Array.from({ length: 20 }, () => `/dev/shm/os-ipc.ch.${randomBytes(8).toString('hex')}`)
  t.teardown(() => {
    for (const file of files) rmSync(file)
  })
  for (const file of files) writeFileSync(file, '')
  const start = performance.now()
  const { memory } = list()
  t.true(performance.now() - start < 10_000)
  for (const file of files) t.true(memory.some(({ name }) => name === file.slice('/dev/shm'.length)))
})
