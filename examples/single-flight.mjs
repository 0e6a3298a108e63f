// Single flight between processes: six of them want the same report at once. One builds it; the others wait and read
// it from memory. If the builder is killed, the next waiter builds it.
// node examples/single-flight.mjs

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { Limit, SharedMemory } from 'os-ipc'

const NAME = '/example-report'
const turn = Limit.openOrCreate(NAME, { permits: 1 })

if (process.argv[2] === 'reader') {
  const report = await singleFlight(NAME, build)
  console.log(`${process.pid} reads: ${report}`)
} else {
  try {
    const file = fileURLToPath(import.meta.url)
    const readers = Array.from({ length: 6 }, () => fork(file, ['reader']))
    await Promise.all(readers.map(reader => once(reader, 'exit')))
  } finally {
    SharedMemory.unlink(NAME)
    turn.unlink()
  }
}

async function build() {
  console.log(`${process.pid} builds`)
  await sleep(200) // what takes long
  return `42 pages by ${process.pid}`
}

/** The value with this name. One process at a time builds a missing value, so it is built once if that succeeds. */
async function singleFlight(name, build) {
  // Check again: another process may have built it during the wait.
  return kept(name) ?? turn.use(async () => kept(name) ?? keep(name, await build()))
}

// The first four bytes of the memory say whether the text behind them is whole.

function kept(name) {
  try {
    const memory = SharedMemory.open(name)
    const whole = Atomics.load(new Int32Array(memory.buffer, 0, 1), 0) === 1
    const text = whole ? memory.toBuffer(4).toString() : undefined
    memory.close()
    return text
  } catch (error) {
    if (error.code !== 'ENOENT') throw error
  }
}

function keep(name, text) {
  const bytes = Buffer.from(text)
  SharedMemory.unlink(name) // of a builder that died half way
  const memory = SharedMemory.create(name, { size: 4 + bytes.length })
  memory.write(bytes, 4)
  Atomics.store(new Int32Array(memory.buffer, 0, 1), 0, 1)
  memory.close()
  return text
}
