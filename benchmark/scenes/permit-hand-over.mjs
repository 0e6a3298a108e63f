import { node } from '../shared/contenders.mjs'
import { partner } from '../shared/partner.mjs'
import { swapping } from '../shared/swap.mjs'
import { ratio, reported } from '../shared/targets.mjs'

/** Two processes swap two permits. */
const swap = (engine, how) =>
  node(async context => {
    const { Limit } = await import('../shared/ours.mjs')
    const { object, atTheEnd } = context
    const limits = ['a', 'b'].map(end => Limit.create(`${object}-${end}`, { permits: 1, engine }))
    atTheEnd(() => {
      for (const limit of limits) limit.unlink()
    })
    const permit = limits[0].tryAcquire()
    await partner('swap', [object, engine, how], context)
    return swapping(limits[0], limits[1], how).lead(permit)
  })

export const scene = {
  name: 'permit-hand-over',
  title: 'A permit to another Node process, and another one back',
  operation: 'a round trip',
  contenders: {
    'os-ipc': swap('sysv', 'async'),
    'os-ipc, ledger': swap('ledger', 'async'),
    'os-ipc, acquireSync': swap('sysv', 'sync'),
    'os-ipc, ledger, acquireSync': swap('ledger', 'sync'),
  },
  targets: reported(
    ratio('os-ipc, ledger', 'os-ipc', 1.2),
    ratio('os-ipc, ledger, acquireSync', 'os-ipc, acquireSync', 1.2),
  ),
}
