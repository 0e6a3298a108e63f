import { cannot, go, limit, node, python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { carriesBytes, onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

export const scene = {
  name: 'sysv-permit',
  title: 'System V tryAcquire + release: a permit that outlives no process',
  operation: 'a pair',
  contenders: {
    'os-ipc': node(async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const semaphore = Semaphore.create(object, { initial: 1, backend: 'sysv' })
      atTheEnd(() => semaphore.unlink())
      return count => {
        let taken = 0
        for (let index = 0; index < count; index += 1) {
          const permit = semaphore.tryAcquire()
          if (permit !== null) taken += 1
          permit.release()
        }
        return { work: taken }
      }
    }),
    limit: limit('sysv-permit'),
    'fs-ext': lockContenders['fs-ext'],
    'os-lock': lockContenders['os-lock'],
    'proper-lockfile': lockContenders['proper-lockfile'],
    'Python sysv_ipc': python('sysv-permit'),
    Go: go('sysv-permit'),
    'async-mutex': cannot('its locks are one process wide: no other process waits for a dead one'),
    'Python posix_ipc': cannot('a dead process keeps what it took: POSIX has no undo'),
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [ratio('os-ipc', 'limit', 1.35)],
}
