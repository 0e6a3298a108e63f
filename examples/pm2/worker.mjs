// One of the workers of ecosystem.config.cjs: it has three jobs to do.

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from 'os-ipc'

const limit = Limit.openOrCreate('/example-pm2', { permits: 2 })
// Only to show that the limit holds: the number of workers at work.
const working = new Int32Array(SharedMemory.openOrCreate('/example-pm2', { size: 4 }).buffer)
const worker = process.env.NODE_APP_INSTANCE

for (const job of ['a', 'b', 'c']) {
  await limit.use(async () => {
    console.log(`worker ${worker} has job ${job}, ${Atomics.add(working, 0, 1) + 1} at work`)
    await sleep(100)
    Atomics.sub(working, 0, 1)
  })
}
