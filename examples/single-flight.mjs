// Single flight between processes: six processes want the same report at once. One builds it; the others wait and read
// it from memory. If the builder is killed, the next in line builds it instead.
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
  await sleep(200) // stands for the slow work
  return `42 pages by ${process.pid}`
}

/** The text under this name. If it is missing, one process at a time builds it, and only once if that process succeeds. */
async function singleFlight(name, build) {
  // Checks again inside the lock, because another process may have built it during the wait.
  return kept(name) ?? turn.use(async () => kept(name) ?? keep(name, await build()))
}

// The first four bytes of the memory tell whether the text behind them is complete.

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
  SharedMemory.unlink(name) // the memory of a builder that died before it finished
  const memory = SharedMemory.create(name, { size: 4 + bytes.length })
  memory.write(bytes, 4)
  Atomics.store(new Int32Array(memory.buffer, 0, 1), 0, 1)
  memory.close()
  return text
}
