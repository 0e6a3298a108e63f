// Limit across cluster workers: four HTTP workers get twelve requests, and two conversions run at a time over all of
// them. A client that waits for more than ten seconds is told to come back later.
// node examples/cluster-limit.mjs

import cluster from 'node:cluster'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from 'os-ipc'

const limit = Limit.openOrCreate('/example-limit', { permits: 2 })

// Only to show that the limit holds: the number of conversions now, and the largest number at once, over all workers.
const memory = SharedMemory.openOrCreate('/example-limit', { size: 8 })
const counts = new Int32Array(memory.buffer)

if (cluster.isPrimary) {
  const workers = Array.from({ length: 4 }, () => cluster.fork())
  const [{ port }] = (await Promise.all(workers.map(worker => once(worker, 'listening')))).flat()

  const requests = Array.from({ length: 12 }, (_, file) => fetch(`http://127.0.0.1:${port}/${file}`))
  const answers = await Promise.all((await Promise.all(requests)).map(answer => answer.json()))
  const busy = new Set(answers.map(({ worker }) => worker))
  console.log(`${answers.length} conversions, ${busy.size} workers, at most ${counts[1]} at a time`)

  for (const worker of workers) worker.kill() // a permit that a worker holds goes to the next waiter
  limit.unlink()
  memory.unlink()
} else {
  createServer(async (request, response) => {
    try {
      await limit.use(() => convert(request.url), { timeout: 10_000 })
      response.end(JSON.stringify({ worker: process.pid }))
    } catch (error) {
      response.writeHead(error.code === 'ETIMEDOUT' ? 503 : 500).end(JSON.stringify(error.message))
    }
  }).listen(0, '127.0.0.1')
}

/** Stands for work that takes a whole processor or a gigabyte of memory. */
async function convert() {
  const running = Atomics.add(counts, 0, 1) + 1
  let most = Atomics.load(counts, 1)
  while (most < running) {
    const found = Atomics.compareExchange(counts, 1, most, running)
    most = found === most ? running : found
  }
  await sleep(50)
  Atomics.sub(counts, 0, 1)
}
