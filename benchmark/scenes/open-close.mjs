import { cannot, go, bareCalls, node, python } from '../shared/contenders.mjs'
import { BYTES } from '../shared/fill.mjs'
import { ratio, reported } from '../shared/targets.mjs'

const semaphore = backend =>
  node(async ({ object, atTheEnd }) => {
    const { Semaphore } = await import('../shared/ours.mjs')
    // This measures the first opening of a process, not the second handle of a process that has it open.
    Semaphore.create(object, { initial: 1, backend }).close()
    atTheEnd(() => Semaphore.unlink(object, { backend }))
    return count => {
      for (let index = 0; index < count; index += 1) Semaphore.open(object, { backend }).close()
    }
  })

const memory = (key, touch) =>
  node(async ({ object, atTheEnd }) => {
    const { SharedMemory } = await import('../shared/ours.mjs')
    const id = key ? 0x62650000 + (process.pid & 0xffff) : object
    const made = SharedMemory.create(id, { size: BYTES })
    atTheEnd(() => made.unlink())
    if (!key) made.close()
    return count => {
      let bytes = 0
      for (let index = 0; index < count; index += 1) {
        const opened = SharedMemory.open(id)
        bytes += touch ? opened.buffer.byteLength : opened.size
        opened.close()
      }
      return { work: bytes }
    }
  })

const none = cannot('opens a file: there is nothing to map, and no counter')

export const scene = {
  name: 'open-close',
  title: 'Open + close of an existing semaphore, map + detach of an existing segment',
  operation: 'both',
  work: name => (name.includes('memory') ? BYTES : 1),
  contenders: {
    'os-ipc, System V semaphore': semaphore('sysv'),
    'bare calls, System V semaphore': bareCalls('open', 'sysv-semaphore'),
    'bare calls, semget alone': bareCalls('open', 'sysv-semaphore-bare'),
    'os-ipc, POSIX semaphore': semaphore('posix'),
    'bare calls, POSIX semaphore': bareCalls('open', 'posix-semaphore'),
    'os-ipc, POSIX memory': memory(false, false),
    'os-ipc, POSIX memory and its buffer': memory(false, true),
    'bare calls, POSIX memory': bareCalls('open', 'posix-memory'),
    'os-ipc, System V memory': memory(true, false),
    'os-ipc, System V memory and its buffer': memory(true, true),
    'bare calls, System V memory': bareCalls('open', 'sysv-memory'),
    'shm-typed-array, POSIX memory': node(async ({ object, atTheEnd }) => {
      // It destroys a segment that it detaches when no other process has it, so the original stays open.
      const { SharedMemory } = await import('../shared/ours.mjs')
      const made = SharedMemory.create(object, { size: BYTES })
      atTheEnd(() => made.unlink())
      const { default: shm } = await import('shm-typed-array')
      return count => {
        for (let index = 0; index < count; index += 1) {
          shm.get(object)
          shm.detach(object)
        }
        return { work: count * BYTES }
      }
    }),
    'Python sysv_ipc, semaphore': python('open', 'sysv-semaphore'),
    'Python posix_ipc, semaphore': python('open', 'posix-semaphore'),
    'Python sysv_ipc, memory': python('open', 'sysv-memory'),
    'Python posix_ipc, memory': python('open', 'posix-memory'),
    'Go, System V semaphore': go('open', 'sysv-semaphore'),
    'Go, System V memory': go('open', 'sysv-memory'),
    'fs-ext': none,
    'os-lock': none,
    'proper-lockfile': none,
    'async-mutex': cannot('has nothing to open'),
    'Unix socket': cannot('has nothing to open without a server'),
    'process.send': cannot('has nothing to open'),
  },
  targets: reported(
    ratio('os-ipc, System V semaphore', 'bare calls, System V semaphore', 2),
    ratio('os-ipc, POSIX semaphore', 'bare calls, POSIX semaphore', 2),
    ratio('os-ipc, POSIX memory', 'bare calls, POSIX memory', 2),
    ratio('os-ipc, System V memory', 'bare calls, System V memory', 2),
  ),
}
