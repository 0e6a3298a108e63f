import { strict as assert } from 'node:assert'

import type { Cases } from './cases.js'

/** The end of a source. */
export const closing: Cases = {
  'close rejects pending waits with ERR_CLOSED': async stage => {
    const source = await stage.create(1)
    const other = await stage.open(source, 1)
    const held = await stage.acquire(other)
    const waits = [
      source.acquire(),
      source.acquire({ timeout: 60_000 }),
      source.use(() => assert.fail('it ran')),
    ]
    for (const wait of waits) wait.catch(() => {})
    await stage.pending(Promise.race(waits))
    await stage.soon('close', source.close())
    for (const wait of waits) await stage.refuses('ERR_CLOSED', () => wait)
    await held.release()
    await stage.becomesFree(other, 1)
  },

  'after close every call except close rejects with ERR_CLOSED': async stage => {
    const source = await stage.create(1)
    await stage.soon('close', source.close())
    await stage.soon('close', source.close())
    await stage.refuses('ERR_CLOSED', () => source.acquire())
    await stage.refuses('ERR_CLOSED', () => source.acquire({ timeout: 0 }))
    await stage.refuses('ERR_CLOSED', () => source.tryAcquire())
    await stage.refuses('ERR_CLOSED', () => source.use(() => assert.fail('it ran')))
    await stage.refuses('ERR_CLOSED', () => source.info())
  },

  'asynchronous dispose closes the source': async stage => {
    const source = await stage.create(1)
    await stage.soon('dispose', source[Symbol.asyncDispose]())
    await stage.refuses('ERR_CLOSED', () => source.acquire())
  },

  'a permit stays held after its source is closed, and can be released': async stage => {
    const source = await stage.create(2)
    const watch = await stage.open(source, 2)
    const permits = [await stage.acquire(source), await stage.acquire(source)]
    await stage.soon('close', source.close())
    assert.equal(await watch.tryAcquire(), null)
    assert.equal(permits[0]?.signal.aborted, false)
    for (const permit of permits) await stage.soon('release', permit.release())
    await stage.becomesFree(watch, 2)
  },

  'close of one source does not affect another one': async stage => {
    const source = await stage.create(1)
    const other = await stage.open(source, 1)
    const held = await stage.acquire(other)
    const waiting = other.acquire()
    await stage.soon('close', source.close())
    await held.release()
    await stage.soon('the wait', waiting)
  },
}
