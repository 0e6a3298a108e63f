import { limit, node, python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { carriesBytes, noPosixInGo, notInSysv, onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

export const scene = {
  name: 'posix-pair',
  title: 'POSIX tryWait + post, uncontended',
  operation: 'a pair',
  contenders: {
    'os-ipc': node(async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const semaphore = Semaphore.create(object, { initial: 1, backend: 'posix' })
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
    limit: limit('posix-pair'),
    ...lockContenders,
    'Python posix_ipc': python('posix-pair'),
    'Python sysv_ipc': notInSysv,
    Go: noPosixInGo,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [ratio('os-ipc', 'async-mutex', 0.5)],
}
