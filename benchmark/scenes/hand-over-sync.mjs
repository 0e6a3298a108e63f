import { cannot, go, bareCalls, node, python } from '../shared/contenders.mjs'
import { partner } from '../shared/partner.mjs'
import { inProcess, noUnits, onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

const noBlocking = cannot('Node cannot block for it')

export const scene = {
  name: 'hand-over-sync',
  title: 'A unit to another Node process and back, `waitSync()`',
  operation: 'a round trip',
  contenders: {
    'os-ipc': node(async context => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const { object, atTheEnd } = context
      const there = Semaphore.create(`${object}-a`, { initial: 0, backend: 'sysv' })
      const back = Semaphore.create(`${object}-b`, { initial: 0, backend: 'sysv' })
      atTheEnd(() => {
        there.unlink()
        back.unlink()
      })
      await partner('echo', [object, 'sysv', 'sync'], context)
      return count => {
        for (let index = 0; index < count; index += 1) {
          there.post()
          back.waitSync()
        }
      }
    }),
    'bare calls': bareCalls('hand-over'),
    'Python sysv_ipc': python('hand-over', 'sysv'),
    'Python posix_ipc': python('hand-over', 'posix'),
    Go: go('hand-over'),
    'Unix socket': noBlocking,
    'process.send': noBlocking,
    'fs-ext': noUnits,
    'os-lock': noUnits,
    'proper-lockfile': noUnits,
    'async-mutex': inProcess,
    'shm-typed-array': onlyMemory,
  },
  targets: [ratio('os-ipc', 'bare calls', 1.2)],
}
