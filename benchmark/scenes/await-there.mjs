import { cannot, node } from '../shared/contenders.mjs'
import { blocks, carriesBytes, onlyMemory } from '../shared/reasons.mjs'
import { ratio, reported } from '../shared/targets.mjs'

/** Units for one run: the limit of a System V counter. */
const UNITS = 30_000

/** Takes units that are available; one post puts all of them back. */
async function withUnits({ object, atTheEnd }, takeAll) {
  const { Semaphore } = await import('../shared/ours.mjs')
  const semaphore = Semaphore.create(object, { initial: UNITS, backend: 'sysv' })
  atTheEnd(() => semaphore.unlink())
  return async count => {
    await takeAll(semaphore, count)
    semaphore.post(count)
  }
}

const lock = cannot('a lock has one unit, and this scene takes many')

export const scene = {
  name: 'await-there',
  title: '`await wait()` while a unit is free',
  operation: 'a unit',
  count: UNITS,
  contenders: {
    'os-ipc': node(context =>
      withUnits(context, async (semaphore, count) => {
        for (let index = 0; index < count; index += 1) await semaphore.wait()
      }),
    ),
    'tryWait + await of a settled promise': node(context =>
      withUnits(context, async (semaphore, count) => {
        const settled = Promise.resolve()
        for (let index = 0; index < count; index += 1) {
          semaphore.tryWait()
          await settled
        }
      }),
    ),
    'async-mutex': node(async () => {
      const { Semaphore } = await import('async-mutex')
      const semaphore = new Semaphore(UNITS)
      return async count => {
        for (let index = 0; index < count; index += 1) await semaphore.acquire()
        semaphore.release(count)
      }
    }),
    'bare calls': cannot('has no promises'),
    'fs-ext': lock,
    'os-lock': lock,
    'proper-lockfile': lock,
    'Python sysv_ipc': blocks,
    'Python posix_ipc': blocks,
    Go: blocks,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: reported(ratio('os-ipc', 'tryWait + await of a settled promise', 1.15)),
}
