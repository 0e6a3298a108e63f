// examples/recipes/cron.mjs
// Every worker has the same timer. In each period one worker runs the job.
import { locks, SharedMemory } from 'os-ipc'

const PERIOD = 1_000 // milliseconds
const memory = SharedMemory.openOrCreate('/example-cron', { size: 8 })
const last = new Float64Array(memory.buffer) // the last period that has had its run; the lock guards it

async function tick() {
  const period = Math.floor(Date.now() / PERIOD)
  await locks.request('example-cron', { ifAvailable: true }, async lock => {
    if (lock === null) return // another worker runs the job now
    if ((last[0] ?? 0) >= period) return // another worker has run it
    last[0] = period
    await job(period)
  })
}

/** @param {number} period */
async function job(period) {
  console.log(`${process.pid} runs the job of period ${period}`)
}

setInterval(() => void tick(), PERIOD / 4)
