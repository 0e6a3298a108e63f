// A permit that is garbage while it is held: a warning names its limit.

import { child } from '../shared/child.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { ownLimit } from './helpers/own.ts'

for (const [what, trace, how, warns] of [
  ['a permit that was waited for', undefined, 'waited', true],
  ['a permit that was free', undefined, 'free', false],
  ['a permit that was free, with OS_IPC_TRACE=1', '1', 'free', true],
  ['a permit of tryAcquire, with OS_IPC_TRACE=1', '1', 'tryAcquire', true],
  ['a permit of acquireSync, with OS_IPC_TRACE=1', '1', 'acquireSync', true],
  ['a tryAcquire that returned null, with OS_IPC_TRACE=1', '1', 'in vain', false],
  ['a permit that was released, with OS_IPC_TRACE=1', '1', 'released', false],
  ['a permit that was waited for and released', undefined, 'waited and released', false],
] as const) {
  onEachEngine()(`${what} and forgotten ${warns ? 'brings a warning' : 'brings none'}`, async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    const forgetting = child(t, 'limit/forget-permit.ts', {
      args: [limit.name, how],
      nodeArgs: ['--expose-gc'],
      env: { OS_IPC_TRACE: trace },
    })
    const warnings = (await forgetting.next()) as { code: string; message: string }[]
    t.is(warnings.length, warns ? 1 : 0)
    if (!warns) return
    t.like(warnings[0], {
      code: 'OS_IPC_PERMIT_LOST',
      message: `a permit of the limit '${limit.name}' was never released, and no code can release it any more`,
    })
  })
}
