// Limit across cluster workers: four workers have twelve jobs, and two jobs run at a time.
// node examples/limit-workers.mjs

import cluster from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore } from 'os-ipc'

const limit = Semaphore.openOrCreate('/example-limit', { initial: 2 })

if (cluster.isPrimary) {
  const workers = Array.from({ length: 4 }, () => cluster.fork())
  await Promise.all(workers.map(worker => once(worker, 'exit')))
  limit.unlink()
} else {
  for (const job of ['a', 'b', 'c']) {
    await limit.use(async () => {
      console.log(`worker ${cluster.worker.id} begins job ${job}`)
      await sleep(100)
      console.log(`worker ${cluster.worker.id} ends job ${job}`)
    })
  }
  process.exit()
}
