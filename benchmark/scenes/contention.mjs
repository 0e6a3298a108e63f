import { closeSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { cannot, crowd, go, bareCalls, node, python } from '../shared/contenders.mjs'
import { carriesBytes, inProcess, onlyMemory } from '../shared/reasons.mjs'
import { ratio, throughput } from '../shared/targets.mjs'

const PROCESSES = 32

const ours = backend =>
  node(async ({ object, atTheEnd }) => {
    const { Semaphore } = await import('../shared/ours.mjs')
    const semaphore = Semaphore.openOrCreate(object, { initial: 1, backend })
    atTheEnd(() => semaphore.unlink())
    return count => {
      for (let index = 0; index < count; index += 1) {
        semaphore.waitSync()
        semaphore.post()
      }
    }
  })

/** A file that all processes of the crowd lock. */
function opened({ object, atTheEnd }) {
  const path = join(tmpdir(), `os-ipc${object.replaceAll('/', '-')}.lock`)
  const file = openSync(path, 'a+')
  atTheEnd(() => {
    closeSync(file)
    rmSync(path, { force: true })
  })
  return file
}

/** Permits, which come back from the dead and name their holders: the calls for them have undo. */
const permits = engine =>
  node(async ({ object, atTheEnd }) => {
    const { Limit } = await import('../shared/ours.mjs')
    const jobs = Limit.openOrCreate(object, { permits: 1, engine })
    atTheEnd(() => jobs.unlink())
    return count => {
      for (let index = 0; index < count; index += 1) jobs.acquireSync().release()
    }
  })

export const scene = {
  name: 'contention',
  title: '32 processes that contend for one unit',
  operation: 'a pair',
  rounds: 7,
  slice: 200,
  // Enough operations that the processes meet: with few, the first would be done before the last begins.
  least: 1000,
  smokeCount: 20,
  contenders: {
    'os-ipc': crowd(PROCESSES, ours('sysv')),
    'os-ipc, POSIX': crowd(PROCESSES, ours('posix')),
    'bare calls': crowd(PROCESSES, bareCalls('contention')),
    'os-ipc, permits': crowd(PROCESSES, permits('sysv')),
    'os-ipc, ledger': crowd(PROCESSES, permits('ledger')),
    'bare calls, with undo': crowd(PROCESSES, bareCalls('contention-permit')),
    'os-ipc, await': crowd(
      PROCESSES,
      node(async ({ object, atTheEnd }) => {
        const { Semaphore } = await import('../shared/ours.mjs')
        const semaphore = Semaphore.openOrCreate(object, { initial: 1, backend: 'sysv' })
        atTheEnd(() => semaphore.unlink())
        return async count => {
          for (let index = 0; index < count; index += 1) {
            await semaphore.wait()
            semaphore.post()
          }
        }
      }),
    ),
    'fs-ext': crowd(
      PROCESSES,
      node(async context => {
        const { default: fsExt } = await import('fs-ext')
        const file = opened(context)
        return count => {
          for (let index = 0; index < count; index += 1) {
            fsExt.flockSync(file, 'ex')
            fsExt.flockSync(file, 'un')
          }
        }
      }),
    ),
    'os-lock': crowd(
      PROCESSES,
      node(async context => {
        const { lock, unlock } = await import('os-lock').then(module => module.default ?? module)
        const file = opened(context)
        return async count => {
          for (let index = 0; index < count; index += 1) {
            await lock(file, { exclusive: true })
            await unlock(file)
          }
        }
      }),
    ),
    'Python sysv_ipc': crowd(PROCESSES, python('contention', 'sysv')),
    'Python posix_ipc': crowd(PROCESSES, python('contention', 'posix')),
    Go: crowd(PROCESSES, go('contention')),
    'proper-lockfile': cannot('does not wait: it tries again after a pause, and may never get a turn'),
    'async-mutex': inProcess,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: [
    throughput('os-ipc', 'bare calls', 0.8),
    throughput('os-ipc, permits', 'bare calls, with undo', 0.8),
    ratio('os-ipc, POSIX', 'Python posix_ipc', 2),
    throughput('os-ipc, ledger', 'os-ipc, permits', 0.6),
  ],
}
