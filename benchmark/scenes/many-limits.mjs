import { once } from 'node:events'

import { node } from '../shared/contenders.mjs'
import { partner } from '../shared/partner.mjs'
import { extra, reported } from '../shared/targets.mjs'
import { ownThreads } from '../shared/threads.mjs'

/** The largest number of limits. */
const MANY = 5_000

/** One pending wait on each of many limits, whose permits another process gives back one after the other. */
const many = (engine, limits) =>
  node(
    async context => {
      const { Limit } = await import('../shared/ours.mjs')
      const { object, atTheEnd } = context
      const all = Array.from({ length: limits }, (_, index) =>
        Limit.create(`${object}-${index}`, { permits: 1, engine }),
      )
      atTheEnd(() => {
        for (const limit of all) limit.unlink()
      })
      const holder = await partner('hold-all', [object, engine, limits], context)
      const before = memory()
      let waits = all.map(limit => limit.acquire())
      await new Promise(resolve => setTimeout(resolve, 500))
      const megabytes = (memory() - before) / 1e6
      const threads = ownThreads()
      return async count => {
        let nanoseconds = 0
        for (let index = 0; index < count; index += 1) {
          const heldAgain = once(holder, 'message')
          const start = process.hrtime.bigint()
          holder.send('give')
          const permits = await Promise.all(waits)
          nanoseconds += Number(process.hrtime.bigint() - start)
          for (const permit of permits) permit.release()
          await heldAgain
          waits = all.map(limit => limit.acquire())
        }
        const operations = limits * count
        return {
          operations,
          work: operations,
          nanoseconds,
          threads,
          'MB of all waits': megabytes,
          'ms until all are served': nanoseconds / count / 1e6,
        }
      }
    },
    { env: { UV_THREADPOOL_SIZE: '3' }, args: ['--expose-gc'] },
  )

/** The resident bytes of this process (RSS), after two garbage collections. */
function memory() {
  gc()
  gc()
  return process.memoryUsage().rss
}

export const scene = {
  name: 'many-limits',
  title: 'A permit of another process for one of so many limits that are waited on at once',
  operation: 'a permit',
  rounds: 7,
  count: 1,
  smokeCount: 1,
  contenders: {
    'os-ipc, 256 limits': many('sysv', 256),
    'os-ipc, 256 ledgers': many('ledger', 256),
    'os-ipc, 5,000 ledgers': many('ledger', MANY),
  },
  targets: reported(
    extra('os-ipc, 5,000 ledgers', 'threads', 1),
    extra('os-ipc, 5,000 ledgers', 'MB of all waits', 100),
    extra('os-ipc, 5,000 ledgers', 'ms until all are served', 1_000),
  ),
}
