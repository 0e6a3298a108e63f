import { strict as assert } from 'node:assert'

import type { Cases } from './cases.js'

/** The release of permits. */
export const giving: Cases = {
  'release gives a permit back': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    assert.equal(permit.released, false)
    await permit.release()
    assert.equal(permit.released, true)
    assert.equal(await stage.free(source), 1)
  },

  'a second release does nothing': async stage => {
    const source = await stage.create(2)
    const [first, second] = [await stage.acquire(source), await stage.acquire(source)]
    await Promise.all([first.release(), first.release()])
    await first.release()
    first[Symbol.dispose]()
    await first[Symbol.asyncDispose]()
    assert.equal(await stage.free(source), 1)
    await second.release()
    assert.equal(await stage.free(source), 2)
  },

  'dispose releases the permit': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    permit[Symbol.dispose]()
    assert.equal(permit.released, true)
    await stage.becomesFree(source, 1)
  },

  'asynchronous dispose waits until the permit is released': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    await permit[Symbol.asyncDispose]()
    assert.equal(permit.released, true)
    assert.equal(await stage.free(source), 1)
  },

  'the signal of a permit is always the same object, and release does not abort it': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    const { signal } = permit
    assert.ok(signal instanceof AbortSignal)
    assert.equal(permit.signal, signal)
    assert.equal(signal.aborted, false)
    signal.throwIfAborted()
    signal.addEventListener('abort', () => assert.fail('it aborted'))
    await permit.release()
    assert.equal(signal.aborted, false)
    assert.equal(signal.reason, undefined)
    assert.equal(permit.signal, signal)
  },

  'each permit has a separate signal': async stage => {
    const source = await stage.create(2)
    const [first, second] = [await stage.acquire(source), await stage.acquire(source)]
    assert.notEqual(first.signal, second.signal)
  },
}
