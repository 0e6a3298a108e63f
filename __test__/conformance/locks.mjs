// Locks: alone, together, given up, and free when their process is killed.

import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'

import { entry, ipc, peer, rejection, test, uniqueName } from './suite.mjs'

const { locks } = ipc
const isFree = (name, mode) => locks.request(name, { mode, ifAvailable: true }, lock => lock !== null)

test('locks: exclusive ones in their order, shared ones together', async () => {
  const name = uniqueName()
  const events = []
  const bothShare = Promise.withResolvers()
  const ask = (mode, event) =>
    locks.request(name, { mode }, async lock => {
      assert.deepEqual([lock.name, lock.mode], [name, mode])
      events.push(`+${event}`)
      await new Promise(resolve => setTimeout(resolve, 20))
      // The second one may come later than that.
      if (event === 3) bothShare.resolve()
      if (mode === 'shared') await bothShare.promise
      events.push(`-${event}`)
    })
  await Promise.all([ask('exclusive', 1), ask('shared', 2), ask('shared', 3), ask('exclusive', 4)])
  assert.deepEqual(events.slice(0, 4), ['+1', '-1', '+2', '+3'])
  assert.deepEqual(events.slice(6), ['+4', '-4'])
})

test('locks: the outcome of the callback is that of the request, and the lock is free', async () => {
  const name = uniqueName()
  assert.equal(await locks.request(name, () => 42), 42)
  const error = new Error('on purpose')
  assert.equal(await rejection(locks.request(name, () => Promise.reject(error))), error)
  assert.equal(await isFree(name), true)
})

test('locks: an abort ends the wait, and those behind it get in', async () => {
  const name = uniqueName()
  const controller = new AbortController()
  await locks.request(name, { mode: 'shared' }, async () => {
    const writer = locks.request(name, { signal: controller.signal }, () => assert.fail('it ran'))
    const reader = locks.request(name, { mode: 'shared' }, () => 'read')
    controller.abort('enough')
    assert.equal(await rejection(writer), 'enough')
    assert.equal(await reader, 'read')
  })
})

test('locks: what another process has is not to be had, and free when that is killed', async () => {
  const name = uniqueName()
  const other = peer()
  assert.deepEqual(await other.ask('lock', name, 'exclusive'), { ok: null })
  assert.equal(await isFree(name, 'shared'), false)
  const { held } = await locks.query()
  assert.ok(held.some(lock => lock.name === name && lock.mode === 'exclusive' && lock.pid === other.pid))
  const waiting = locks.request(name, lock => lock.mode)
  other.kill('SIGKILL')
  assert.equal(await waiting, 'exclusive')
})

test('locks: a worker that is terminated has none', async () => {
  const name = uniqueName()
  const code = `
    import { parentPort } from 'node:worker_threads'
    import { locks } from ${JSON.stringify(entry)}
    locks.request(${JSON.stringify(name)}, () => {
      parentPort.postMessage('held')
      return new Promise(() => {})
    })
    setInterval(() => {}, 1000)`
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(code)}`))
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
  assert.equal(await isFree(name), false)
  const waiting = locks.request(name, () => 'granted')
  await worker.terminate()
  assert.equal(await waiting, 'granted')
})
