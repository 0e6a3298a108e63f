import { cannot, bareCalls, node } from '../shared/contenders.mjs'
import { blocks, carriesBytes, noUnits, onlyMemory } from '../shared/reasons.mjs'
import { extra, ratio, reported } from '../shared/targets.mjs'
import { ownThreads } from '../shared/threads.mjs'

/** The number of waits from which on the memory of the waits stands out from that of the process. */
const MANY = 10_000

/** Keeps this number of waits pending, and posts a unit for the oldest of them at a time. */
const pending = waits =>
  node(
    async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const semaphore = Semaphore.create(object, { initial: 0, backend: 'sysv' })
      atTheEnd(() => semaphore.unlink())
      // V8's layout and compilation for the first of them are not part of the cost of each.
      const others = Semaphore.open(object, { backend: 'sysv' })
      if (waits >= MANY) for (let index = 0; index < waits; index += 1) others.wait().catch(() => {})
      const queue = new Array(waits)
      const before = memory()
      for (let index = 0; index < waits; index += 1) queue[index] = semaphore.wait()
      const bytes = (memory() - before) / waits
      others.close()
      let oldest = 0
      return async count => {
        for (let index = 0; index < count; index += 1) {
          semaphore.post()
          await queue[oldest]
          queue[oldest] = semaphore.wait()
          oldest = (oldest + 1) % waits
        }
        return { threads: ownThreads, ...(waits >= MANY && { 'bytes a wait': bytes }) }
      }
    },
    // The package leaves a pool of 3 threads to the program: the thread that waits is its own, and can be counted.
    { env: { UV_THREADPOOL_SIZE: '3' }, args: ['--expose-gc'] },
  )

/** The resident bytes of this process (RSS), after two garbage collections. */
function memory() {
  gc()
  gc()
  return process.memoryUsage().rss
}

const inOneProcess = waits =>
  node(async () => {
    const { Semaphore } = await import('async-mutex')
    const semaphore = new Semaphore(0)
    const queue = Array.from({ length: waits }, () => semaphore.acquire())
    let oldest = 0
    return async count => {
      for (let index = 0; index < count; index += 1) {
        semaphore.release()
        await queue[oldest]
        queue[oldest] = semaphore.acquire()
        oldest = (oldest + 1) % waits
      }
    }
  })

export const scene = {
  name: 'pending',
  title: 'A unit for one of n pending waits on one semaphore',
  operation: 'a unit',
  contenders: {
    'os-ipc, 1 wait': pending(1),
    'os-ipc, 100 waits': pending(100),
    'os-ipc, 10,000 waits': pending(10_000),
    'bare calls, 1 thread': bareCalls('waiters', '1'),
    'bare calls, 100 threads': bareCalls('waiters', '100'),
    'bare calls, 10,000 threads': cannot('each blocking call needs a thread'),
    'async-mutex, 1 wait': inOneProcess(1),
    'async-mutex, 100 waits': inOneProcess(100),
    'async-mutex, 10,000 waits': inOneProcess(10_000),
    'fs-ext': noUnits,
    'os-lock': noUnits,
    'proper-lockfile': noUnits,
    'Python sysv_ipc': blocks,
    'Python posix_ipc': blocks,
    Go: blocks,
    'shm-typed-array': onlyMemory,
    'Unix socket': carriesBytes,
    'process.send': carriesBytes,
  },
  targets: reported(
    ratio('os-ipc, 100 waits', 'os-ipc, 1 wait', 1.5),
    ratio('os-ipc, 10,000 waits', 'os-ipc, 1 wait', 1.5),
    extra('os-ipc, 10,000 waits', 'threads', 1),
    extra('os-ipc, 10,000 waits', 'bytes a wait', 1024),
  ),
}
