import { python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { pairContenders, unit, waitAndPost } from '../shared/pairs.mjs'
import { carriesBytes, noPosixInGo, notInSysv, onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

export const scene = {
  name: 'posix-pair',
  title: 'POSIX tryWait + post, uncontended',
  operation: 'a pair',
  contenders: {
    ...pairContenders('posix-pair', unit('posix'), waitAndPost),
    ...lockContenders,
    'Python posix_ipc': python('posix-pair'),
    'Python sysv_ipc': notInSysv,
    Go: noPosixInGo,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [ratio('os-ipc', 'Python posix_ipc', 1)],
}
