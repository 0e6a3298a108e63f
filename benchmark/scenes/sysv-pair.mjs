import { go, python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { pairContenders, unit, waitAndPost } from '../shared/pairs.mjs'
import { carriesBytes, notInPosix, onlyMemory } from '../shared/reasons.mjs'
import { ratio, reported } from '../shared/targets.mjs'

export const scene = {
  name: 'sysv-pair',
  title: 'System V tryWait + post, uncontended',
  operation: 'a pair',
  contenders: {
    ...pairContenders('sysv-pair', unit('sysv'), waitAndPost),
    ...lockContenders,
    'Python sysv_ipc': python('sysv-pair'),
    Go: go('sysv-pair'),
    'Python posix_ipc': notInPosix,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: reported(ratio('os-ipc', 'bare calls', 1.25)),
}
