// Permits: held, given back, and given back by the kernel.

import assert from 'node:assert/strict'

import { ipc, limit, peer, rejection, test } from './suite.mjs'

const { capabilities } = ipc

for (const engine of capabilities.limits.engines) {
  const recovers = engine === 'ledger' || capabilities.limits.crashRecovery

  test(`${engine}: a permit is released once`, async () => {
    const jobs = limit(engine, 1)
    const permit = await jobs.acquire()
    assert.equal(jobs.tryAcquire(), null)
    permit.release()
    permit.release()
    assert.equal(permit.released, true)
    const again = jobs.tryAcquire()
    assert.notEqual(again, null)
    assert.equal(jobs.tryAcquire(), null)
    again.release()
  })

  test(`${engine}: use gives back what it took, also after an error`, async () => {
    const jobs = limit(engine, 1)
    assert.equal(await jobs.use(() => 42), 42)
    await rejection(jobs.use(() => Promise.reject(new Error('on purpose'))))
    assert.equal(jobs.info().free, 1)
  })

  test(`${engine}: no more holders than permits`, async () => {
    const jobs = limit(engine, 3)
    let [holders, most] = [0, 0]
    const work = async () => {
      most = Math.max(most, ++holders)
      await new Promise(resolve => setTimeout(resolve, 2))
      holders -= 1
    }
    await Promise.all(Array.from({ length: 40 }, () => jobs.use(work, { timeout: 15_000 })))
    assert.equal(most, 3)
  })

  test(`${engine}: a limit is resized, and names its holders`, async () => {
    const jobs = limit(engine, 1)
    const permit = jobs.acquireSync()
    assert.deepEqual(jobs.info().holders, [{ pid: process.pid, permits: 1 }])
    await jobs.resize(3)
    assert.equal(jobs.permits, 3)
    const shrinking = jobs.resize(0, { timeout: 15_000 })
    permit.release()
    await shrinking
    assert.equal(jobs.info().free, 0)
  })

  if (recovers) {
    test(`${engine}: the permit of a killed process comes back`, async () => {
      const jobs = limit(engine, 1)
      const other = peer()
      assert.deepEqual(await other.ask('acquire', jobs.name), { ok: null })
      assert.equal(jobs.tryAcquire(), null)
      other.kill('SIGKILL')
      const permit = await jobs.acquire({ timeout: 15_000 })
      permit.release()
    })
  }
}
