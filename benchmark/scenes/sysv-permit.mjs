import { cannot, go, python } from '../shared/contenders.mjs'
import { lockContenders } from '../shared/locks.mjs'
import { acquireAndRelease, pairContenders, pairs, permit } from '../shared/pairs.mjs'
import { carriesBytes, onlyMemory } from '../shared/reasons.mjs'
import { ratio, reported } from '../shared/targets.mjs'

export const scene = {
  name: 'sysv-permit',
  title:
    'Limit, tryAcquire + release: a permit that comes back when its process dies, with its holder recorded',
  operation: 'a pair',
  contenders: {
    ...pairContenders('sysv-permit', permit('sysv'), acquireAndRelease),
    'os-ipc, ledger': pairs(permit('ledger'), acquireAndRelease),
    'fs-ext': lockContenders['fs-ext'],
    'os-lock': lockContenders['os-lock'],
    'proper-lockfile': lockContenders['proper-lockfile'],
    'Python sysv_ipc': python('sysv-permit'),
    Go: go('sysv-permit'),
    'async-mutex': cannot('works inside one process only'),
    'Python posix_ipc': cannot('a unit of a dead process is lost: POSIX has no undo'),
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [ratio('os-ipc', 'bare calls', 1.35), ...reported(ratio('os-ipc, ledger', 'os-ipc', 2))],
}
