// Counters: made, found, counted, removed.

import assert from 'node:assert/strict'

import { cleanup, ipc, peer, semaphore, test, uniqueKey, uniqueName } from './suite.mjs'

const { Semaphore, capabilities, ftok, list } = ipc

for (const backend of capabilities.semaphoreBackends) {
  test(`${backend}: what exists is not made again, and what is missing not opened`, () => {
    const made = semaphore(backend, 3)
    assert.equal(made.backend, backend)
    assert.equal(made.created, true)
    assert.throws(() => Semaphore.create(made.name, { initial: 1, backend }), {
      code: 'EEXIST',
      syscall: /./,
    })
    assert.throws(() => Semaphore.open(uniqueName(), { backend }), { code: 'ENOENT', name: 'IpcError' })
    const again = Semaphore.openOrCreate(made.name, { initial: 9, backend })
    assert.equal(again.created, false)
    if (capabilities.value[backend]) assert.equal(again.value, 3)
    again.close()
    assert.equal(Semaphore.unlink(made.name, { backend }), true)
    assert.equal(Semaphore.unlink(made.name, { backend }), false)
  })

  test(`${backend}: units are counted`, () => {
    const counter = semaphore(backend, 1)
    assert.equal(counter.tryWait(), true)
    assert.equal(counter.tryWait(), false)
    counter.post(3)
    if (capabilities.value[backend]) assert.equal(counter.value, 3)
    for (let i = 0; i < 3; i++) assert.equal(counter.tryWait(), true)
    assert.equal(counter.tryWait(), false)
  })

  test(`${backend}: another process sees the same counter`, async () => {
    const counter = semaphore(backend, 0)
    const other = peer()
    assert.deepEqual(await other.ask('take', counter.name, backend), { ok: false })
    counter.post()
    assert.deepEqual(await other.ask('take', counter.name, backend), { ok: true })
    assert.deepEqual(await other.ask('post', counter.name, backend, 2), { ok: null })
    assert.equal(counter.tryWait() && counter.tryWait(), true)
    assert.equal(counter.tryWait(), false)
  })

  test(`${backend}: info tells what the kernel knows`, () => {
    const { mode, uid } = semaphore(backend, 2).info()
    assert.equal(mode, 0o600)
    // Windows has no uids.
    assert.equal(uid, process.getuid?.() ?? 0)
  })

  test(`${backend}: a closed handle refuses, and says so`, () => {
    const counter = semaphore(backend, 1)
    counter.close()
    counter.close()
    assert.throws(() => counter.post(), { name: 'IpcError', code: 'ERR_CLOSED' })
  })
}

test('misuse is told before any system call', () => {
  assert.throws(() => Semaphore.open(''), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.throws(() => Semaphore.open('/a/b'), { code: 'ERR_INVALID_ARG_VALUE' })
  assert.throws(() => Semaphore.open({}), { code: 'ERR_INVALID_ARG_TYPE' })
  assert.throws(() => Semaphore.create('/os-ipc-never', { initial: -1 }), RangeError)
})

if (capabilities.semaphoreBackends.includes('sysv')) {
  test('a raw key and the list', () => {
    const key = uniqueKey()
    const raw = Semaphore.create(key, { initial: 5 })
    cleanup(() => Semaphore.unlink(key))
    assert.equal(raw.name, undefined)
    assert.equal(raw.info().key, key)
    const named = semaphore('sysv', 1)
    const { semaphores } = list()
    assert.ok(semaphores.some(info => info.key === key))
    assert.ok(semaphores.some(info => info.name === named.name))
  })
}

if (process.platform === 'win32') {
  test('keys are not supported, and neither is ftok', () => {
    assert.throws(() => ftok(import.meta.dirname, 7), { code: 'ERR_NOT_SUPPORTED' })
    assert.throws(() => Semaphore.create(uniqueKey(), { initial: 1 }), { code: 'ERR_NOT_SUPPORTED' })
  })
} else {
  test('ftok makes a key of a file', () => {
    assert.equal(ftok(import.meta.dirname, 7) >>> 24, 7)
  })
}
