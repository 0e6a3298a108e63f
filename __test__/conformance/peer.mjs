// The other process of a conformance test: does what the lines on its input say, and says what came of it.

import { createInterface } from 'node:readline'

import { ipc } from './suite.mjs'

const { Channel, Limit, locks, Semaphore, SharedMemory } = ipc
const held = []

const calls = {
  post: (name, backend, count = 1) => Semaphore.open(name, { backend }).post(count),
  take: (name, backend) => Semaphore.open(name, { backend }).tryWait(),
  wait: (name, backend) => Semaphore.open(name, { backend }).wait({ timeout: 15_000 }),
  async acquire(name) {
    const limit = Limit.open(name)
    held.push(limit, await limit.acquire({ timeout: 15_000 }))
  },
  async waitAndExit(name, backend) {
    Semaphore.open(name, { backend })
      .wait()
      .catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 100))
    process.exit(7)
  },
  async waitUnrefAndEnd(name, backend) {
    const semaphore = Semaphore.open(name, { backend }).unref()
    held.push(semaphore)
    semaphore.wait().catch(() => {})
    await new Promise(resolve => setTimeout(resolve, 100))
    input.close()
    process.stdin.destroy()
  },
  throwWhileWaiting(name, backend) {
    Semaphore.open(name, { backend })
      .wait()
      .catch(() => {})
    setTimeout(() => {
      throw new Error('on purpose')
    }, 100)
    process.on('uncaughtException', () => process.exit(9))
  },
  lock: (name, mode) =>
    new Promise((resolve, reject) => {
      const request = locks.request(name, { mode }, () => {
        resolve()
        return new Promise(() => {})
      })
      request.catch(reject)
    }),
  write: (id, text, position) => open(id).write(text, position),
  read: (id, position, length) => open(id).toBuffer(position, length).toString(),
  send: (name, value) => Channel.open(name).send(value, { timeout: 15_000 }),
  async receive(name, count) {
    const channel = Channel.open(name)
    held.push(channel)
    const received = []
    while (received.length < count) received.push(await channel.receive({ timeout: 15_000 }))
    return received
  },
  add(id, times) {
    const counter = new Int32Array(open(id).buffer)
    for (let i = 0; i < times; i++) Atomics.add(counter, 0, 1)
  },
}

function open(id) {
  const segment = SharedMemory.open(id)
  held.push(segment)
  return segment
}

const input = createInterface({ input: process.stdin })
for await (const line of input) {
  const [name, ...args] = JSON.parse(line)
  try {
    console.log(JSON.stringify({ ok: (await calls[name](...args)) ?? null }))
  } catch ({ name, code, message }) {
    console.log(JSON.stringify({ error: name, code, message }))
  }
}
