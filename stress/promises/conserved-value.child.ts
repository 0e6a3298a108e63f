// Takes and gives permits in every way there is, until it is killed or told to stop. As `drain` it takes for good what
// others post for good, and counts it.

import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore, SharedMemory } from '../../index.js'

const [name = '', how] = process.argv.slice(2)
const semaphore = Semaphore.open(name)
const counters = new Int32Array(SharedMemory.open(name).buffer)
const [OPERATIONS, WAITS, POSTS, STOP] = [0, 1, 2, 3]
const running = (): boolean => Atomics.load(counters, STOP) === 0
const took = (): void => void Atomics.add(counters, OPERATIONS, 2)

if (how === 'drain') {
  while (running()) {
    if (!(await semaphore.wait({ timeout: 20 }).then(() => true, unlessTimedOut))) continue
    Atomics.add(counters, WAITS, 1)
    // The posts of Python lift the value; this keeps it near where it began.
    if (semaphore.value < 8) {
      semaphore.post()
      Atomics.add(counters, POSTS, 1)
    }
  }
} else {
  await Promise.all([
    loop(async () => {
      const permit = await semaphore.acquire()
      permit.release()
      took()
    }),
    loop(async () => {
      const permit = await semaphore.acquire({ timeout: Math.random() * 5 }).catch(unlessTimedOut)
      if (permit === undefined) return
      permit.release()
      took()
    }),
    loop(async () => {
      const permit = semaphore.tryAcquire()
      await new Promise(resolve => setImmediate(resolve))
      if (permit === null) return
      permit.release()
      took()
    }),
  ])
}
process.exit(0)

/** Another error ends the process, which is noticed. */
function unlessTimedOut(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ETIMEDOUT') throw error
}

async function loop(turn: () => Promise<void>): Promise<void> {
  while (running()) {
    await turn()
    // So many processes do not leave each other a processor otherwise.
    await sleep(Math.random() * 20)
  }
}
