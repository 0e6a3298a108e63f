import { strict as assert } from 'node:assert'

import type { PermitLike, PermitSource } from '../limit/permit-source.js'
import type { Cases } from './cases.js'
import type { Stage } from './stage.js'

/** Permits that are lost while they are held. */
export const losing: Cases = {
  'the signal of a lost permit aborts with ERR_PERMIT_LOST': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    assert.equal(permit.signal.aborted, false)
    const heard = aborted(permit)
    await stage.subject.lose?.(permit, source)
    await stage.soon('the loss', heard)
    assert.equal(permit.signal.aborted, true)
    assert.equal(permit.signal.reason.code, 'ERR_PERMIT_LOST')
    assert.throws(() => permit.signal.throwIfAborted(), { code: 'ERR_PERMIT_LOST' })
  },

  'the release of a lost permit does nothing, also to other permits': async stage => {
    const source = await stage.create(1)
    const permit = await stage.acquire(source)
    await lose(stage, permit, source)
    const next = await stage.acquire(source)
    await stage.soon('release', permit.release())
    assert.equal(permit.released, true)
    assert.equal(await source.tryAcquire(), null)
    await next.release()
    assert.equal(await stage.free(source), 1)
  },

  'use continues when its permit is lost, and the signal of its permit aborts': async stage => {
    const source = await stage.create(1)
    const answer = await stage.soon(
      'use',
      source.use(async permit => {
        await lose(stage, permit, source)
        return permit.signal.reason.code
      }),
    )
    assert.equal(answer, 'ERR_PERMIT_LOST')
    await stage.becomesFree(source, 1)
  },
}

async function lose(stage: Stage, permit: PermitLike, source: PermitSource): Promise<void> {
  const heard = aborted(permit)
  await stage.subject.lose?.(permit, source)
  await stage.soon('the loss', heard)
}

function aborted({ signal }: PermitLike): Promise<void> {
  return new Promise(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
}
