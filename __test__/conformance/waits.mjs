// Waits: what ends them, in what order, and what goes on meanwhile.

import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { Worker } from 'node:worker_threads'

import { entry, ipc, peer, rejection, semaphore, sleep, test } from './suite.mjs'

const { capabilities } = ipc

for (const backend of capabilities.semaphoreBackends) {
  test(`${backend}: a unit that is there is taken at once`, async () => {
    const counter = semaphore(backend, 1)
    await counter.wait()
    assert.equal(counter.tryWait(), false)
  })

  test(`${backend}: a post wakes a wait`, async () => {
    const counter = semaphore(backend, 0)
    const waiting = counter.wait({ timeout: 15_000 })
    setTimeout(() => counter.post(), 50)
    await waiting
  })

  test(`${backend}: another process wakes a wait, and is woken`, async () => {
    const [there, back] = [semaphore(backend, 0), semaphore(backend, 0)]
    const other = peer()
    for (let round = 0; round < 20; round++) {
      other.tell('wait', there.name, backend)
      there.post()
      assert.deepEqual(await other.hear(), { ok: null })
      other.tell('post', back.name, backend)
      await back.wait({ timeout: 15_000 })
      await other.hear()
    }
  })

  test(`${backend}: first come, first served`, async () => {
    const counter = semaphore(backend, 0)
    const order = []
    const waits = Array.from({ length: 200 }, (_, i) =>
      counter.wait({ timeout: 15_000 }).then(() => order.push(i)),
    )
    await sleep(20)
    counter.post(200)
    await Promise.all(waits)
    assert.deepEqual(
      order,
      Array.from({ length: 200 }, (_, i) => i),
    )
  })

  test(`${backend}: time runs out`, async () => {
    const counter = semaphore(backend, 0)
    const start = performance.now()
    assert.equal((await rejection(counter.wait({ timeout: 60 }))).code, 'ETIMEDOUT')
    assert.ok(performance.now() - start >= 59)
    assert.equal((await rejection(counter.wait({ timeout: 0 }))).code, 'ETIMEDOUT')
    assert.throws(() => counter.waitSync({ timeout: 30 }), { code: 'ETIMEDOUT' })
    counter.post()
    counter.waitSync({ timeout: 15_000 })
  })

  test(`${backend}: an abort rejects with its reason, and loses no unit`, async () => {
    const counter = semaphore(backend, 0)
    const controller = new AbortController()
    const reason = new Error('enough')
    const aborted = counter.wait({ signal: controller.signal })
    const patient = counter.wait({ timeout: 15_000 })
    setTimeout(() => controller.abort(reason), 30)
    assert.equal(await rejection(aborted), reason)
    assert.equal(await rejection(counter.wait({ signal: controller.signal })), reason)
    counter.post()
    await patient
    assert.equal(counter.tryWait(), false)
  })

  test(`${backend}: close ends the waits of its handle`, async () => {
    const counter = semaphore(backend, 0)
    const waiting = counter.wait()
    setTimeout(() => counter.close(), 30)
    assert.equal((await rejection(waiting)).code, 'ERR_CLOSED')
  })

  if (capabilities.unlinkWakes[backend]) {
    test(`${backend}: removal ends all waits`, async () => {
      const counter = semaphore(backend, 0)
      const waits = [counter.wait(), counter.wait()]
      setTimeout(() => counter.unlink(), 30)
      for (const wait of waits) assert.equal((await rejection(wait)).code, 'EIDRM')
    })
  }

  test(`${backend}: files are read while 50 semaphores are waited for`, async () => {
    const counters = Array.from({ length: 50 }, () => semaphore(backend, 0))
    const waits = counters.map(counter => counter.wait({ timeout: 15_000 }))
    for (let i = 0; i < 10; i++) assert.ok((await readFile(import.meta.filename)).length > 0)
    for (const counter of counters) counter.post()
    await Promise.all(waits)
  })

  test(`${backend}: process.exit does not hang on a pending wait`, async () => {
    const counter = semaphore(backend, 0)
    const other = peer()
    other.tell('waitAndExit', counter.name, backend)
    assert.equal((await other.ended).code, 7)
  })

  test(`${backend}: an uncaught error does not hang on a pending wait`, async () => {
    const counter = semaphore(backend, 0)
    const other = peer()
    other.tell('throwWhileWaiting', counter.name, backend)
    assert.equal((await other.ended).code, 9)
  })

  test(`${backend}: an unref'd wait lets the process end`, async () => {
    const counter = semaphore(backend, 0)
    const other = peer()
    other.tell('waitUnrefAndEnd', counter.name, backend)
    assert.equal((await other.ended).code, 0)
  })

  test(`${backend}: a worker waits, and ends while it waits`, async () => {
    const counter = semaphore(backend, 0)
    const program = `
      import { parentPort } from 'node:worker_threads'
      const { Semaphore } = await import(${JSON.stringify(entry)})
      const counter = Semaphore.open(${JSON.stringify(counter.name)}, { backend: '${backend}' })
      const first = counter.wait({ timeout: 15_000 })
      parentPort.postMessage('waiting')
      await first
      parentPort.postMessage('woken')
      counter.wait().catch(() => {})
      parentPort.postMessage('waiting again')
    `
    const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(program)}`))
    const message = () =>
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
    assert.equal(await message(), 'waiting')
    counter.post()
    assert.equal(await message(), 'woken')
    await message()
    await worker.terminate()
    // What the worker waited for is not lost with it.
    await sleep(200)
    counter.post()
    await counter.wait({ timeout: 15_000 })
  })
}
