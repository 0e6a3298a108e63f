// Terminates workers that wait, while it posts; says how many units it posted and where they are.

import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { randomBytes } from 'node:crypto'

import { type Permit, Semaphore } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'
import { random } from '../figures.ts'

if (isMainThread) await main(Number(process.argv[2]))
else await work(workerData)

async function main(count: number): Promise<void> {
  const name = `/os-ipc-${randomBytes(6).toString('hex')}`
  using semaphore = Semaphore.create(name, { initial: 0 })
  let posts = 0
  for (let turn = 0; turn < count; turn += 1) {
    const worker = new Worker(new URL(import.meta.url), { workerData: name })
    const gone = new Promise(resolve => worker.once('exit', resolve))
    await new Promise(resolve => worker.once('message', resolve))
    const posting = (async () => {
      for (let post = 0; post < 5; post += 1) {
        semaphore.post()
        posts += 1
        if (random(2) === 0) await sleep(random(2))
      }
    })()
    if (random(3) > 0) await sleep(random(4))
    const alarm = setTimeout(() => say('terminate() does not return'), 10_000)
    await worker.terminate()
    await gone
    clearTimeout(alarm)
    await posting
    say('made')
  }
  // Everything that a worker won or held went back.
  let units = 0
  for (let turn = 0; turn < 200 && units < posts; turn += 1) {
    await sleep(5)
    while (semaphore.tryWait()) units += 1
  }
  semaphore.unlink()
  say({ posts, units })
  process.exit(0)
}

async function work(name: string): Promise<void> {
  const semaphore = Semaphore.open(name)
  const permits: Permit[] = []
  parentPort?.postMessage('waiting')
  await Promise.all(
    Array.from({ length: 10 }, async () => {
      for (;;) {
        const permit = await semaphore.acquire()
        // Some are kept, so that the end of the worker has something to give back.
        if (random(2) === 0) permits.push(permit)
        else permit.release()
        await sleep(1)
      }
    }),
  )
}
