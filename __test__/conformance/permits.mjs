// Permits: held, given back, and given back by the kernel.

import assert from 'node:assert/strict'

import { ipc, peer, rejection, semaphore, test } from './suite.mjs'

const { capabilities } = ipc

for (const backend of capabilities.semaphoreBackends) {
  test(`${backend}: a permit is released once`, async () => {
    const counter = semaphore(backend, 1)
    const permit = await counter.acquire()
    assert.equal(counter.tryAcquire(), null)
    permit.release()
    permit.release()
    assert.equal(permit.released, true)
    const again = counter.tryAcquire()
    assert.notEqual(again, null)
    assert.equal(counter.tryAcquire(), null)
    again.release()
  })

  test(`${backend}: use gives back what it took, also after an error`, async () => {
    const counter = semaphore(backend, 1)
    assert.equal(await counter.use(() => 42), 42)
    await rejection(counter.use(() => Promise.reject(new Error('on purpose'))))
    assert.equal(counter.tryWait(), true)
  })

  test(`${backend}: no more holders than permits`, async () => {
    const counter = semaphore(backend, 3)
    let [holders, most] = [0, 0]
    const work = async () => {
      most = Math.max(most, ++holders)
      await new Promise(resolve => setTimeout(resolve, 2))
      holders -= 1
    }
    await Promise.all(Array.from({ length: 40 }, () => counter.use(work, { timeout: 15_000 })))
    assert.equal(most, 3)
  })

  if (capabilities.crashRecovery[backend]) {
    test(`${backend}: the permit of a killed process comes back`, async () => {
      const counter = semaphore(backend, 1)
      const other = peer()
      assert.deepEqual(await other.ask('acquire', counter.name, backend), { ok: null })
      assert.equal(counter.tryWait(), false)
      other.kill('SIGKILL')
      await counter.wait({ timeout: 15_000 })
    })
  }
}
