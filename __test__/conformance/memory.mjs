// Shared memory of each kind.

import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'

import { cleanup, ipc, memory, memoryKinds, peer, test, uniqueName } from './suite.mjs'

const { SharedMemory, capabilities } = ipc

for (const kind of memoryKinds) {
  test(`${kind} memory: made, found by its size, unlinked`, () => {
    const { id, made } = memory(kind, 5_000)
    assert.equal(made.kind, kind)
    assert.equal(made.size, 5_000)
    assert.equal(made.created, true)
    assert.throws(() => SharedMemory.create(id, { size: 1 }), { code: 'EEXIST' })
    const again = SharedMemory.open(id)
    assert.equal(again.size, 5_000)
    assert.throws(() => SharedMemory.openOrCreate(id, { size: 6_000 }), { code: 'ERR_SIZE' })
    again.close()
    again.close()
    assert.equal(SharedMemory.unlink(id), true)
    assert.equal(SharedMemory.unlink(id), false)
    made.unlink()
    made.close()
    made.unlink()
  })

  test(`${kind} memory: copies in and out, at every edge`, () => {
    const { made } = memory(kind, 4_100)
    made.write('hello', 4_095)
    const target = new Uint8Array(5)
    assert.equal(made.read(target, 4_095), 5)
    assert.equal(Buffer.from(target).toString(), 'hello')
    assert.equal(made.toBuffer(4_095).toString(), 'hello')
    assert.throws(() => made.write('hello', 4_096), { code: 'ERR_OUT_OF_RANGE' })
    made.clear()
    assert.deepEqual(made.toBuffer(), Buffer.alloc(4_100))
  })

  test(`${kind} memory: another process reads what was written`, async () => {
    const { id, made } = memory(kind, 300_000)
    const other = peer()
    const text = 'x'.repeat(200_000)
    made.write(text, 77)
    assert.deepEqual(await other.ask('read', id, 77, text.length), { ok: text })
    await other.ask('write', id, 'back', 3)
    assert.equal(made.toBuffer(3, 4).toString(), 'back')
  })

  test(`${kind} memory: a read-only handle refuses to write`, () => {
    const { id, made } = memory(kind, 100)
    made.write('abc')
    const reader = SharedMemory.open(id, { readOnly: true })
    assert.equal(reader.toBuffer(0, 3).toString(), 'abc')
    assert.throws(() => reader.write('x'), { code: 'ERR_READ_ONLY' })
    assert.throws(() => reader.buffer, { code: 'ERR_READ_ONLY' })
    reader.close()
  })

  if (capabilities.externalBuffers) {
    test(`${kind} memory: the buffer is the memory itself, until it is closed`, async () => {
      const { id, made } = memory(kind, 4_096)
      const view = new Uint8Array(made.buffer)
      assert.equal(made.buffer.byteLength, 4_096)
      made.write('zero-copy')
      assert.equal(Buffer.from(view.subarray(0, 9)).toString(), 'zero-copy')
      view[0] = 90
      assert.equal(
        await peer()
          .ask('read', id, 0, 4)
          .then(({ ok }) => ok),
        'Zero',
      )
      made.close()
      assert.equal(view.length, 0)
      assert.equal(made.buffer.byteLength, 0)
    })

    test(`${kind} memory: Atomics count exactly across processes`, async () => {
      const { id, made } = memory(kind, 64)
      const others = [peer(), peer()]
      for (const other of others) other.tell('add', id, 100_000)
      for (const other of others) assert.deepEqual(await other.hear(), { ok: null })
      assert.equal(Atomics.load(new Int32Array(made.buffer), 0), 200_000)
    })
  } else {
    test(`${kind} memory: no silent copy where external buffers are forbidden`, () => {
      const { made } = memory(kind, 100)
      assert.throws(() => made.buffer, { name: 'IpcError', code: 'ERR_NO_EXTERNAL_BUFFERS' })
      made.write('abc')
      assert.equal(made.toBuffer(0, 3).toString(), 'abc')
    })
  }
}

for (const kind of memoryKinds) {
  if (capabilities.sharedBuffers) {
    test(`${kind} memory: workers get shared without a copy, and it outlives close`, async () => {
      const { id, made } = memory(kind, 4_096)
      assert.equal(made.shared, made.shared)
      assert.ok(made.shared instanceof SharedArrayBuffer)
      const words = new Int32Array(made.shared)
      const worker = new Worker(new URL('shared-worker.mjs', import.meta.url), { workerData: made.shared })
      cleanup(() => worker.terminate())
      const heard = new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject))
      assert.equal(await heard, 'ready')
      made.close()
      assert.throws(() => made.shared, { code: 'ERR_DETACHED' })
      while (Atomics.notify(words, 0) === 0) await new Promise(resolve => setTimeout(resolve, 1))
      while (Atomics.load(words, 1) !== 9) await new Promise(resolve => setTimeout(resolve, 1))
      assert.deepEqual(await peer().ask('read', id, 4, 1), { ok: '\t' })
    })
  } else {
    test(`${kind} memory: no silent copy where shared buffers are missing`, () => {
      const { made } = memory(kind, 100)
      assert.throws(() => made.shared, { name: 'IpcError', code: 'ERR_NOT_SUPPORTED', hint: /each worker/ })
    })
  }

  test(`${kind} memory: a read-only handle has no shared`, () => {
    const { id } = memory(kind, 100)
    const reader = SharedMemory.open(id, { readOnly: true })
    assert.throws(() => reader.shared, { code: 'ERR_READ_ONLY' })
    reader.close()
  })
}

test('a name of memory has its slash, written or not', () => {
  const { id, made } = memory(memoryKinds[0], 8)
  const opened = SharedMemory.open(id.slice(1))
  assert.equal(opened.name, made.name)
  if (memoryKinds.includes('sysv')) assert.equal(memory('sysv', 8).made.name, undefined)
  opened.close()
})

test('missing memory is not made by opening it', () => {
  assert.throws(() => SharedMemory.open(uniqueName()), { code: 'ENOENT' })
})
