// A stream of messages of one size to another process, and the scene that compares the ways.

import { once } from 'node:events'
import { rmSync, unlinkSync } from 'node:fs'
import { connect } from 'node:net'
import { Worker } from 'node:worker_threads'

import { cannot, node, ring } from './contenders.mjs'
import { fill } from './fill.mjs'
import { partner } from './partner.mjs'
import { inProcess, onlyLocks } from './reasons.mjs'
import { socketPath } from './socket.mjs'
import { ratio, reported, throughput } from './targets.mjs'

/** Announces a number of messages to the partner, sends them, and waits until the partner has all. */
async function delivered(child, count, send) {
  const done = once(child, 'message')
  child.send({ expect: count })
  await send(count)
  await done
}

/** The bytes that a ring has. In a ring that is larger than the caches of a processor, no store waits for the reader's. */
const capacityFor = size => Math.max(1 << 22, size * 16)

/** As many messages go to the kernel, or into the channel, at once. */
const togetherFor = size => Math.max(1, Math.floor(65_536 / size))

/** Sends as a program does that wants speed. */
const together = async (messages, data, count) => {
  const list = Array(togetherFor(data.length)).fill(data)
  for (let left = count; left > 0; left -= list.length) {
    await messages.sendMany(left < list.length ? list.slice(0, left) : list)
  }
}

/** Sends as a program does that wants simple code. */
const oneByOne = async (messages, data, count) => {
  for (let index = 0; index < count; index += 1) await messages.send(data)
}

const channel = (size, how, send = together) =>
  node(async context => {
    const { Channel } = await import('./ours.mjs')
    const { object, atTheEnd } = context
    const messages = Channel.create(object, { capacity: capacityFor(size), codec: 'bytes' })
    atTheEnd(() => messages.unlink())
    const child = await partner('stream', [object, how, String(size)], context)
    const data = fill(Buffer.alloc(size))
    return async count => {
      await delivered(child, count, () => send(messages, data, count))
      return { work: count * size }
    }
  })

/** Neither side copies: the sender uses `sendWith`, and the receiver polls with `drain`. */
const IN_PLACE = 'os-ipc, Channel, in place'

/** From this size on a copy takes longer than the call of a function. */
const LARGE = 16_384

/** Writes each message in its place in the ring. The others send the same bytes again and again, and write none. */
const inPlace = async (messages, data, count) => {
  for (let index = 0; index < count; index += 1)
    await messages.sendWith(data.length, view => view.fill(index))
}

/** `process.send`: the sender lets the event loop turn where Node says that too much waits. */
const processSend = size =>
  node(async context => {
    const child = await partner('stream', ['', 'ipc', String(size)], context, { serialization: 'advanced' })
    const data = fill(Buffer.alloc(size))
    return async count => {
      await delivered(child, count, async () => {
        for (let index = 0; index < count; index += 1) {
          if (!child.send(data)) await new Promise(resolve => child.send(data.subarray(0, 0), resolve))
        }
      })
      return { work: count * size }
    }
  })

/** A corked Unix socket: as many messages as 64 KiB have go to the kernel at once. */
const socket = size =>
  node(async context => {
    const path = socketPath(context.object)
    const child = await partner('stream', [path, 'socket', String(size)], context)
    const connection = connect(path)
    await once(connection, 'connect')
    unlinkSync(path)
    context.atTheEnd(() => connection.destroy())
    const data = fill(Buffer.alloc(size))
    const together = togetherFor(size)
    return async count => {
      await delivered(child, count, async () => {
        for (let index = 0; index < count; ) {
          connection.cork()
          for (let one = 0; one < together && index < count; one += 1, index += 1) connection.write(data)
          connection.uncork()
          if (connection.writableNeedDrain) await once(connection, 'drain')
        }
      })
      return { work: count * size }
    }
  })

/** ZeroMQ's sockets PUSH and PULL over a Unix socket, from npm. Its own thread collects messages, and sends them together. */
const zeromq = size =>
  node(async context => {
    const { Push } = await import('zeromq')
    const path = socketPath(context.object)
    const push = new Push({ linger: 0 })
    await push.bind(`ipc://${path}`)
    context.atTheEnd(() => {
      push.close()
      rmSync(path, { force: true })
    })
    const child = await partner('stream', [path, 'zeromq', String(size)], context)
    const data = fill(Buffer.alloc(size))
    return async count => {
      await delivered(child, count, async () => {
        for (let index = 0; index < count; index += 1) await push.send(data)
      })
      return { work: count * size }
    }
  })

/** To a thread, not to a process. */
const port = size =>
  node(async ({ atTheEnd }) => {
    const worker = new Worker(new URL('../partners/port.mjs', import.meta.url))
    await once(worker, 'message')
    atTheEnd(() => worker.terminate())
    const data = fill(Buffer.alloc(size))
    return async count => {
      const done = once(worker, 'message')
      worker.postMessage({ expect: count })
      for (let index = 0; index < count; index += 1) {
        worker.postMessage(data)
        if (index % 256 === 255) await new Promise(setImmediate)
      }
      await done
      return { work: count * size }
    }
  })

/**
 * The ratios to reach: `send` and `fresh` against `process.send`, `socketDrain` against the corked socket, and `inC`, the
 * times that the ring in C may be faster.
 */
export function streamScene(name, label, size, { send, fresh, socketDrain, inC }) {
  return {
    name,
    title: `A stream of messages of ${label} to another process`,
    operation: 'a message',
    work: size,
    slice: 100,
    contenders: {
      'os-ipc, Channel, drain': channel(size, 'drain'),
      ...(size >= LARGE && { [IN_PLACE]: channel(size, 'poll', inPlace) }),
      'os-ipc, Channel, fresh Buffers': channel(size, 'batches'),
      'os-ipc, Channel, await each': channel(size, 'receive', oneByOne),
      'process.send, Buffer, advanced': processSend(size),
      'Unix socket, corked': socket(size),
      'zeromq, ipc://': zeromq(size),
      'MessagePort, to a thread': port(size),
      'a ring in C': ring(String(size), String(capacityFor(size))),
      'fs-ext': onlyLocks,
      'os-lock': onlyLocks,
      'proper-lockfile': onlyLocks,
      'async-mutex': inProcess,
      'shm-typed-array': cannot('cannot tell its reader that data is there: the reader would poll'),
    },
    targets: [
      throughput('os-ipc, Channel, drain', 'process.send, Buffer, advanced', send),
      throughput('os-ipc, Channel, fresh Buffers', 'process.send, Buffer, advanced', fresh),
      ratio('os-ipc, Channel, drain', 'a ring in C', inC),
      ...reported(
        throughput('os-ipc, Channel, drain', 'Unix socket, corked', socketDrain),
        throughput('os-ipc, Channel, fresh Buffers', 'Unix socket, corked', 1.1),
        throughput('os-ipc, Channel, await each', 'process.send, Buffer, advanced', 1),
        throughput('os-ipc, Channel, drain', 'zeromq, ipc://', 1),
        ...(size >= LARGE
          ? [
              throughput(IN_PLACE, 'process.send, Buffer, advanced', send),
              throughput(IN_PLACE, 'Unix socket, corked', socketDrain),
            ]
          : []),
      ),
    ],
  }
}
