import { strict as assert } from 'node:assert'

import type { Cases } from './cases.js'

/** Running functions under a permit. */
export const using: Cases = {
  'use holds a permit while the function runs, and returns its result': async stage => {
    const source = await stage.create(1)
    const during = await stage.soon(
      'use',
      source.use(async () => source.tryAcquire()),
    )
    assert.equal(during, null)
    assert.equal(
      await stage.soon(
        'use',
        source.use(() => 'at once'),
      ),
      'at once',
    )
    assert.equal(await stage.free(source), 1)
  },

  'if the function throws or rejects, use releases the permit and rejects with the same error':
    async stage => {
      const source = await stage.create(1)
      const trouble = new Error('trouble')
      const throws = (): never => {
        throw trouble
      }
      for (const fn of [throws, () => Promise.reject(trouble)]) {
        assert.equal(await stage.reasonOf(source.use(fn)), trouble)
        assert.equal(await stage.free(source), 1)
      }
    },

  'use passes the permit with its signal to the function': async stage => {
    const source = await stage.create(1)
    await stage.soon(
      'use',
      source.use(permit => {
        const { signal, released } = permit
        assert.ok(signal instanceof AbortSignal)
        assert.equal(signal.aborted, false)
        assert.equal(released, false)
      }),
    )
  },

  'the function may release its permit early': async stage => {
    const source = await stage.create(1)
    const during = await stage.soon(
      'use',
      source.use(async permit => {
        await permit.release()
        return stage.free(source)
      }),
    )
    assert.equal(during, 1)
    assert.equal(await stage.free(source), 1)
  },

  'use does not call the function if it gets no permit': async stage => {
    const source = await stage.create(1)
    await stage.acquire(source)
    const never = (): never => assert.fail('it ran')
    await stage.refuses('ETIMEDOUT', () => source.use(never, { timeout: 5 }))
    const reason = new Error('no more')
    const aborted = source.use(never, { signal: AbortSignal.abort(reason) })
    assert.equal(await stage.reasonOf(aborted), reason)
  },

  'use throws for a missing function before it takes a permit': async stage => {
    const source = await stage.create(1)
    for (const fn of [undefined, null, 'f', {}]) {
      await stage.refuses('ERR_INVALID_ARG_TYPE', () => source.use(fn as never))
    }
    assert.equal(await stage.free(source), 1)
  },
}
