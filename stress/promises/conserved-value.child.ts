// Takes and gives back permits in every possible way, until it is killed or told to stop.

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from '../../index.js'

const [name = ''] = process.argv.slice(2)
const limit = Limit.open(name)
const counters = new Int32Array(SharedMemory.open(name).buffer)
const [OPERATIONS, STOP] = [0, 3]
const running = (): boolean => Atomics.load(counters, STOP) === 0
const took = (): void => void Atomics.add(counters, OPERATIONS, 2)

await Promise.all([
  loop(async () => {
    const permit = await limit.acquire()
    permit.release()
    took()
  }),
  loop(async () => {
    const permit = await limit.acquire({ timeout: Math.random() * 5 }).catch(unlessTimedOut)
    if (permit === undefined) return
    permit.release()
    took()
  }),
  loop(async () => {
    const permit = limit.tryAcquire()
    await new Promise(resolve => setImmediate(resolve))
    if (permit === null) return
    permit.release()
    took()
  }),
])
process.exit(0)

/** Any other error ends the process, which the parent notices. */
function unlessTimedOut(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ETIMEDOUT') throw error
}

async function loop(turn: () => Promise<void>): Promise<void> {
  while (running()) {
    await turn()
    // Without this pause the processes would leave each other no processor time.
    await sleep(Math.random() * 20)
  }
}
