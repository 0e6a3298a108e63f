import { strict as assert } from 'node:assert'

import type { PermitLike } from '../limit/permit-source.js'
import type { Cases } from './cases.js'
import { later } from './stage.js'

/** Taking permits, and waiting for them. */
export const acquiring: Cases = {
  'acquire takes every permit': async stage => {
    const source = await stage.create(3)
    for (let taken = 0; taken < 3; taken += 1) await stage.acquire(source)
    assert.equal(await source.tryAcquire(), null)
  },

  'tryAcquire takes a free permit, and returns null if none is free': async stage => {
    const source = await stage.create(1)
    const permit = await stage.soon('tryAcquire', source.tryAcquire())
    assert.ok(permit)
    assert.equal(permit.released, false)
    assert.equal(await source.tryAcquire(), null)
    await permit.release()
    assert.equal(await stage.free(source), 1)
  },

  'two sources with one name share their permits': async stage => {
    const source = await stage.create(2)
    const other = await stage.open(source, 2)
    const permit = await stage.acquire(source)
    await stage.acquire(other)
    assert.equal(await source.tryAcquire(), null)
    assert.equal(await other.tryAcquire(), null)
    await permit.release()
    assert.equal(await stage.free(other), 1)
  },

  'two names have separate permits': async stage => {
    const [source, other] = [await stage.create(1), await stage.create(1)]
    assert.notEqual(source.name, other.name)
    await stage.acquire(source)
    await stage.acquire(other)
  },

  'acquire waits for a release': async stage => {
    const source = await stage.create(1)
    const held = await stage.acquire(source)
    const waiting = source.acquire()
    await stage.pending(waiting)
    await held.release()
    const permit = await stage.soon('the wait', waiting)
    assert.equal(permit.released, false)
    assert.equal(await source.tryAcquire(), null)
  },

  'acquire waits for a release by another source': async stage => {
    const source = await stage.create(1)
    const other = await stage.open(source, 1)
    const held = await stage.acquire(other)
    const waiting = source.acquire()
    await stage.pending(waiting)
    await held.release()
    await stage.soon('the wait', waiting)
    assert.equal(await other.tryAcquire(), null)
  },

  'each of many waits gets a permit': async stage => {
    const source = await stage.create(2)
    const other = await stage.open(source, 2)
    let done = 0
    const turns = Array.from({ length: 40 }, async (_, index) => {
      const permit = await (index % 2 === 0 ? source : other).acquire()
      done += 1
      await permit.release()
    })
    await stage.soon('40 turns', Promise.all(turns))
    assert.equal(done, 40)
    await stage.becomesFree(source, 2)
  },

  'the number of held permits never exceeds the number of permits': async stage => {
    const source = await stage.create(3)
    const other = await stage.open(source, 3)
    let [holding, most] = [0, 0]
    const allHeld = Promise.withResolvers<void>()
    const hold = async (): Promise<void> => {
      holding += 1
      most = Math.max(most, holding)
      if (holding === 3) allHeld.resolve()
      await allHeld.promise
      await later(2)
      holding -= 1
    }
    const turns = Array.from({ length: 30 }, (_, index) => (index % 2 === 0 ? source : other).use(hold))
    await stage.soon('30 turns', Promise.all(turns))
    assert.equal(most, 3)
  },

  'a timeout rejects a wait with ETIMEDOUT, and the wait takes no permit': async stage => {
    const source = await stage.create(1)
    const held = await stage.acquire(source)
    for (const timeout of [0, 1, 20]) await stage.refuses('ETIMEDOUT', () => source.acquire({ timeout }))
    assert.equal((await source.info()).pending, 0)
    await held.release()
    await stage.becomesFree(source, 1)
  },

  'a timeout of 0 takes a free permit': async stage => {
    const source = await stage.create(1)
    await stage.soon('acquire', source.acquire({ timeout: 0 }))
    assert.equal(await source.tryAcquire(), null)
  },

  'a wait that succeeds before its timeout keeps its permit': async stage => {
    const source = await stage.create(1)
    const held = await stage.acquire(source)
    const waiting = source.acquire({ timeout: 60_000 })
    await held.release()
    await stage.soon('the wait', waiting)
  },

  'an abort rejects a wait at once with the reason of the signal': async stage => {
    const source = await stage.create(1)
    await stage.acquire(source)
    for (const reason of [new Error('enough'), 'a string', undefined]) {
      const controller = new AbortController()
      const waiting = source.acquire({ signal: controller.signal })
      await stage.pending(waiting)
      controller.abort(reason)
      assert.equal(await stage.reasonOf(waiting), controller.signal.reason)
    }
    assert.equal((await source.info()).pending, 0)
  },

  'an acquire with an aborted signal takes no permit': async stage => {
    const source = await stage.create(1)
    const reason = new Error('too late')
    for (const timeout of [undefined, 0, 1_000]) {
      const waiting = source.acquire({ timeout, signal: AbortSignal.abort(reason) })
      assert.equal(await stage.reasonOf(waiting), reason)
    }
    assert.equal(await stage.free(source), 1)
  },

  'an abort after the grant changes nothing': async stage => {
    const source = await stage.create(1)
    const controller = new AbortController()
    const permit = await stage.soon('acquire', source.acquire({ signal: controller.signal }))
    controller.abort()
    assert.equal(permit.released, false)
    assert.equal(permit.signal.aborted, false)
    assert.equal(await source.tryAcquire(), null)
  },

  'a permit that comes after its wait has ended goes to the next wait or back': async stage => {
    const source = await stage.create(1)
    for (let round = 0; round < 30; round += 1) {
      const held = await stage.acquire(source)
      const controller = new AbortController()
      const given = source.acquire({ signal: controller.signal }).catch(() => undefined)
      const next = source.acquire()
      const released = held.release()
      if (round % 3 > 0) await later(round % 3)
      controller.abort()
      await released
      const early: PermitLike | undefined = await stage.soon('the aborted wait', given)
      await early?.release()
      await (await stage.soon('the next wait', next)).release()
    }
    await stage.becomesFree(source, 1)
  },

  'a wrong option throws before a permit is taken': async stage => {
    const source = await stage.create(1)
    for (const options of [null, 'soon', { timeout: '1' }, { signal: {} }]) {
      await stage.refuses('ERR_INVALID_ARG_TYPE', () => source.acquire(options as never))
    }
    for (const timeout of [-1, Number.NaN, Number.NEGATIVE_INFINITY]) {
      await stage.refuses('ERR_OUT_OF_RANGE', () => source.acquire({ timeout }))
    }
    assert.equal(await stage.free(source), 1)
  },

  'an infinite timeout never ends a wait': async stage => {
    const source = await stage.create(1)
    const permit = await stage.soon('a free permit', source.acquire({ timeout: Number.POSITIVE_INFINITY }))
    const next = source.acquire({ timeout: Number.POSITIVE_INFINITY })
    await stage.pending(next)
    await permit.release()
    await (await stage.soon('the next permit', next)).release()
  },

  'info has the number of free permits and of pending waits': async stage => {
    const source = await stage.create(2)
    const free = async (): Promise<number | undefined> => (await source.info()).free
    const known = (await free()) !== undefined
    if (known) assert.equal(await free(), 2)
    await stage.acquire(source)
    if (known) assert.equal(await free(), 1)
    await stage.acquire(source)
    if (known) assert.equal(await free(), 0)
    const waits = [source.acquire(), source.acquire()]
    await stage.pending(Promise.race(waits))
    assert.equal((await source.info()).pending, 2)
    await source.close()
    await stage.soon('the waits', Promise.allSettled(waits))
  },
}
