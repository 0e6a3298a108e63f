import { cannot, bareCalls, node } from '../shared/contenders.mjs'
import { blocks, inProcess, noUnits, onlyMemory } from '../shared/reasons.mjs'
import { socketPath } from '../shared/socket.mjs'
import { extra, ratio, reported } from '../shared/targets.mjs'
import { ownThreads } from '../shared/threads.mjs'

/** The largest number of semaphores. */
const MANY = 256

/**
 * One pending wait on each of many semaphores, and a unit for one after the other. Threads wait for all semaphores of unref'd
 * handles; otherwise, with one semaphore, the event loop may poll for it itself.
 */
const many = (semaphores, unref = false) =>
  node(
    async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const all = Array.from({ length: semaphores }, (_, index) =>
        Semaphore.create(`${object}-${index}`, { initial: 0, backend: 'sysv' }),
      )
      atTheEnd(() => {
        for (const semaphore of all) semaphore.unlink()
      })
      if (unref) for (const semaphore of all) semaphore.unref()
      const waits = all.map(semaphore => semaphore.wait())
      let next = 0
      return async count => {
        for (let index = 0; index < count; index += 1) {
          all[next].post()
          await waits[next]
          waits[next] = all[next].wait()
          next = (next + 1) % semaphores
        }
        return { threads: ownThreads }
      }
    },
    { env: { UV_THREADPOOL_SIZE: '3' } },
  )

const sockets = connections =>
  node(async ({ object, atTheEnd }) => {
    const { createServer, connect } = await import('node:net')
    const { once } = await import('node:events')
    const path = socketPath(object)
    const server = createServer().listen(path)
    await once(server, 'listening')
    const ends = []
    for (let index = 0; index < connections; index += 1) {
      const accepted = once(server, 'connection')
      const sender = connect(path)
      const [receiver] = await accepted
      ends.push({ sender, receiver })
    }
    atTheEnd(() => server.close())
    let next = 0
    return async count => {
      for (let index = 0; index < count; index += 1) {
        const { sender, receiver } = ends[next]
        await new Promise(resolve => {
          receiver.once('data', resolve)
          sender.write('x')
        })
        next = (next + 1) % connections
      }
    }
  })

const own = cannot('each one needs a child process with a channel')

export const scene = {
  name: 'many',
  title: 'A unit for one of n semaphores that have a pending wait',
  operation: 'a unit',
  // In a round, each of them has as many turns as a single one has.
  least: 64 * MANY,
  contenders: {
    'os-ipc, 1 semaphore': many(1),
    'os-ipc, 1 semaphore, by a thread': many(1, true),
    'os-ipc, 16 semaphores': many(16),
    'os-ipc, 256 semaphores': many(MANY),
    'bare calls, 1 thread': bareCalls('threads', '1'),
    'bare calls, 16 threads': bareCalls('threads', '16'),
    'bare calls, 256 threads': bareCalls('threads', '256'),
    'Unix socket, 1': sockets(1),
    'Unix socket, 16': sockets(16),
    'Unix socket, 256': sockets(MANY),
    'process.send': own,
    'fs-ext': noUnits,
    'os-lock': noUnits,
    'proper-lockfile': noUnits,
    'async-mutex': inProcess,
    'Python sysv_ipc': blocks,
    'Python posix_ipc': blocks,
    Go: blocks,
    'shm-typed-array': onlyMemory,
  },
  targets: reported(
    ratio('os-ipc, 16 semaphores', 'os-ipc, 1 semaphore', 1.5),
    ratio('os-ipc, 256 semaphores', 'os-ipc, 1 semaphore', 1.5),
    extra('os-ipc, 16 semaphores', 'threads', 16),
    extra('os-ipc, 256 semaphores', 'threads', 256),
  ),
}
