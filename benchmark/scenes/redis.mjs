import { cannot } from '../shared/contenders.mjs'
import { withRedis } from '../shared/redis.mjs'
import { onlyMemory } from '../shared/reasons.mjs'
import { extra, reported } from '../shared/targets.mjs'

const oneMachine = cannot('works on one machine only')

async function ours({ url, object, atTheEnd }) {
  const { RedisLimit } = await import('../shared/ours-on-redis.mjs')
  const jobs = RedisLimit.connect(url, object, { permits: 4 })
  atTheEnd(() => jobs.close())
  return async count => {
    for (let index = 0; index < count; index += 1) {
      const permit = await jobs.acquire()
      await permit.release()
    }
  }
}

/** The code that its documentation recommends, with every default that is wrong for this use corrected. */
const bare =
  makeHolder =>
  async ({ url, object, atTheEnd }) => {
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
  }

const oneEach = bare(make => make)

/**
 * Both halves in one process and on one server. The placement of client and server makes a pair take 90 us or 300 us, and
 * stays for a run: in separate processes, the ratio would be that of two placements as much as of two libraries.
 */
async function sideBySide(context) {
  const halves = [await ours(context), await oneEach(context)]
  let turn = 0
  return async count => {
    const half = Math.ceil(count / 2)
    const times = []
    turn = 1 - turn
    for (const which of [turn, 1 - turn]) {
      const start = performance.now()
      await halves[which](half)
      times[which] = performance.now() - start
    }
    return { [RATIO]: times[0] / times[1] }
  }
}

const RATIO = 'os-ipc / redis-semaphore'
const SIDE_BY_SIDE = 'os-ipc and redis-semaphore in turn'

export const scene = {
  name: 'redis',
  title: 'Permits on Redis: acquire + release, uncontended, over loopback',
  operation: 'a pair',
  rounds: 100,
  contenders: {
    'os-ipc': withRedis(ours),
    'redis-semaphore': withRedis(oneEach),
    [SIDE_BY_SIDE]: withRedis(sideBySide),
    'redis-semaphore, one object for all': withRedis(
      bare(make => {
        const holder = make()
        return () => holder
      }),
    ),
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
  // With one object for all, a second holder at the same time would not count: this shows it.
  targets: reported(extra(SIDE_BY_SIDE, RATIO, 1.1)),
}
