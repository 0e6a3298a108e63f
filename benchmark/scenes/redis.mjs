import { cannot } from '../shared/contenders.mjs'
import { withRedis } from '../shared/redis.mjs'
import { onlyMemory } from '../shared/reasons.mjs'
import { ratio } from '../shared/targets.mjs'

const oneMachine = cannot('works on one machine only')

/** As its users are to write it, who set everything that its defaults get wrong. */
const bare = makeHolder =>
  withRedis(async ({ url, object, atTheEnd }) => {
    const { Redis } = await import('ioredis')
    const { Semaphore } = await import('redis-semaphore')
    const client = new Redis(url)
    atTheEnd(() => client.disconnect())
    const next = makeHolder(() => new Semaphore(client, object, 4, { onLockLost: () => {} }))
    return async count => {
      for (let index = 0; index < count; index += 1) {
        const holder = next()
        await holder.acquire()
        await holder.release()
      }
    }
  })

export const scene = {
  name: 'redis',
  title: 'Permits on Redis: acquire + release, uncontended, over loopback',
  operation: 'a pair',
  contenders: {
    'os-ipc': withRedis(async ({ url, object, atTheEnd }) => {
      const { RedisSemaphore } = await import('../shared/ours-on-redis.mjs')
      const semaphore = RedisSemaphore.connect(url, object, { permits: 4 })
      atTheEnd(() => semaphore.close())
      return async count => {
        for (let index = 0; index < count; index += 1) {
          const permit = await semaphore.acquire()
          await permit.release()
        }
      }
    }),
    'redis-semaphore': bare(make => make),
    'redis-semaphore, one object for all': bare(make => {
      const holder = make()
      return () => holder
    }),
    'fs-ext': oneMachine,
    'os-lock': oneMachine,
    'proper-lockfile': oneMachine,
    'Python sysv_ipc': oneMachine,
    'Python posix_ipc': oneMachine,
    Go: oneMachine,
    'async-mutex': oneMachine,
    'shm-typed-array': onlyMemory,
    'Unix socket': oneMachine,
    'process.send': oneMachine,
  },
  // With one object for all a second holder at the same time would not count: it is there to be seen.
  targets: [ratio('os-ipc', 'redis-semaphore', 1.1)],
}
