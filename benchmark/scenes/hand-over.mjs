import { go, bareCalls, node, python } from '../shared/contenders.mjs'
import { channelTo } from '../shared/messages.mjs'
import { partner } from '../shared/partner.mjs'
import { inProcess, noUnits, onlyMemory } from '../shared/reasons.mjs'
import { socketTo } from '../shared/socket.mjs'
import { ratio, reported } from '../shared/targets.mjs'

/**
 * One of two executors: libuv's pool where it has four threads, a thread of this package where a quarter of the pool is none.
 * Where the event loop polls first, both are only the start; an unref'd handle always has a thread of this package.
 */
const lane = (backend, env, how = 'async') =>
  node(
    async context => {
      const { Semaphore } = await import('../shared/ours.mjs')
      const { object, atTheEnd } = context
      const there = Semaphore.create(`${object}-a`, { initial: 0, backend })
      const back = Semaphore.create(`${object}-b`, { initial: 0, backend })
      atTheEnd(() => {
        there.unlink()
        back.unlink()
      })
      if (how === 'unref') back.unref()
      await partner('echo', [object, backend, how], context)
      return async count => {
        for (let index = 0; index < count; index += 1) {
          there.post()
          await back.wait()
        }
      }
    },
    { env },
  )

/** A number of calls of a function that sends a message and waits for the answer. */
const roundTrips = connected =>
  node(async context => {
    const roundTrip = await connected(context)
    return async count => {
      for (let index = 0; index < count; index += 1) await roundTrip()
    }
  })

export const scene = {
  name: 'hand-over',
  title: 'A unit to another Node process and back, `await wait()`',
  operation: 'a round trip',
  contenders: {
    'os-ipc, pool': lane('sysv', { UV_THREADPOOL_SIZE: '4' }),
    'os-ipc, own thread': lane('sysv', { UV_THREADPOOL_SIZE: '3' }),
    "os-ipc, unref'd": lane('sysv', {}, 'unref'),
    'os-ipc, POSIX': lane('posix', { UV_THREADPOOL_SIZE: '4' }),
    'bare calls': bareCalls('hand-over'),
    'Unix socket': roundTrips(context => socketTo(1, 1, context)),
    'process.send': roundTrips(context => channelTo(1, context)),
    'Python sysv_ipc': python('hand-over', 'sysv'),
    'Python posix_ipc': python('hand-over', 'posix'),
    Go: go('hand-over'),
    'fs-ext': noUnits,
    'os-lock': noUnits,
    'proper-lockfile': noUnits,
    'async-mutex': inProcess,
    'shm-typed-array': onlyMemory,
  },
  targets: [
    ratio('os-ipc, pool', 'Unix socket', 0.5),
    ...reported(
      ratio('os-ipc, pool', 'process.send', 0.5),
      ratio('os-ipc, pool', 'bare calls', 4),
      ratio('os-ipc, own thread', 'Unix socket', 0.5),
      ratio('os-ipc, own thread', 'bare calls', 4),
    ),
  ],
}
