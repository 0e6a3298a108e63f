// examples/recipes/once.mjs
// Several processes start together. One of them prepares; the others wait until that is done, and do not prepare again.
import { setTimeout as sleep } from 'node:timers/promises'
import { locks, SharedMemory } from 'os-ipc'

const memory = SharedMemory.openOrCreate('/example-once-v1', { size: 4 })
const done = new Int32Array(memory.buffer)

await locks.request('example-once-v1', async () => {
  if (Atomics.load(done, 0) === 1) return
  await prepare()
  Atomics.store(done, 0, 1)
})
console.log(`${process.pid} goes on`)

async function prepare() {
  console.log(`${process.pid} prepares`)
  await sleep(100) // stands for a migration or a download
}
