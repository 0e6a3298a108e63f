import { go, limit, node, python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { carriesBytes, notInPosix, onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

export const scene = {
  name: 'sysv-pair',
  title: 'System V tryWait + post, uncontended',
  operation: 'a pair',
  contenders: {
    'os-ipc': node(async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const semaphore = Semaphore.create(object, { initial: 1, backend: 'sysv' })
      atTheEnd(() => semaphore.unlink())
      return count => {
        let taken = 0
        for (let index = 0; index < count; index += 1) {
          if (semaphore.tryWait()) taken += 1
          semaphore.post()
        }
        return { work: taken }
      }
    }),
    limit: limit('sysv-pair'),
    ...lockContenders,
    'Python sysv_ipc': python('sysv-pair'),
    Go: go('sysv-pair'),
    'Python posix_ipc': notInPosix,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [ratio('os-ipc', 'limit', 1.25)],
}
