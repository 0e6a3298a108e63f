// Terminates workers that wait, while it adds permits; prints how many it added and how many can be taken at the end.

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { randomBytes } from 'node:crypto'

import { Limit, type LimitEngine, type Permit } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'
import { random } from '../figures.ts'

const [, , count, engine] = process.argv
if (isMainThread) await main(Number(count), engine as LimitEngine)
else await work(workerData)

async function main(count: number, engine: LimitEngine): Promise<void> {
  const name = `/os-ipc-${randomBytes(6).toString('hex')}`
  using limit = Limit.create(name, { permits: 0, engine })
  let added = 0
  for (let turn = 0; turn < count; turn += 1) {
    const worker = new Worker(new URL(import.meta.url), { workerData: name })
    const gone = new Promise(resolve => worker.once('exit', resolve))
    await new Promise(resolve => worker.once('message', resolve))
    const adding = (async () => {
      for (let more = 0; more < 5; more += 1) {
        added += 1
        await limit.resize(added)
        if (random(2) === 0) await sleep(random(2))
      }
    })()
    if (random(3) > 0) await sleep(random(4))
    const alarm = setTimeout(() => say('terminate() does not return'), 10_000)
    await worker.terminate()
    await gone
    clearTimeout(alarm)
    await adding
    say('made')
  }
  // Every permit that a worker won or held has gone back.
  let free = 0
  for (const deadline = performance.now() + 30_000; free < added && performance.now() < deadline; ) {
    await sleep(5)
    while (limit.tryAcquire() !== null) free += 1
  }
  limit.unlink()
  say({ added, free })
  process.exit(0)
}

async function work(name: string): Promise<void> {
  const limit = Limit.open(name)
  const permits: Permit[] = []
  parentPort?.postMessage('waiting')
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (;;) {
        const permit = await limit.acquire()
        // The worker keeps some permits, so that its end has permits to give back.
        if (random(2) === 0) permits.push(permit)
        else permit.release()
        await sleep(1)
      }
    }),
  )
}
