import { Limit } from '../../index.js'
import { engines } from '../../__test__/shared/engines.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { setTimeout as sleep } from 'node:timers/promises'

import { largest, median, ms, random } from '../figures.ts'
import { tooLong } from '../machine.ts'
import { waitForLedger } from '../ledgers.ts'
import { atOnce, child } from '../program.ts'
import type { Promised } from '../promise.ts'

const LATEST = 100
const PERMITS = 3

const promised: Promised = {
  promise: 'the permit of a process that is killed with `kill -9` is back within 100 ms (every engine)',
  trials: { long: 1_000, short: 40 },
  limit: 900,
  prepare: waitForLedger,
  async run(trial) {
    const times = new Map(engines.map(engine => [engine, [] as number[]]))
    let late = 0
    await atOnce(1, trial.count, async index => {
      const name = uniqueName(trial)
      const engine = engines[index % engines.length] as (typeof engines)[number]
      using limit = Limit.create(name, { permits: PERMITS, engine })
      try {
        const holder = child(trial, 'killed-holder', {
          args: [name, ['try', 'pool', 'own'][Math.floor(index / engines.length) % 3] ?? ''],
        })
        if ((await holder.next()) !== 'held') throw new Error('the holder did not hold')
        await sleep(random(3))
        const start = performance.now()
        const back = Promise.all(Array.from({ length: PERMITS }, () => limit.acquire({ timeout: 10_000 })))
        holder.kill('SIGKILL')
        const permits = await back
        const time = performance.now() - start
        times.get(engine)?.push(time)
        if (time > LATEST) late += 1
        for (const permit of permits) permit.release()
        const { free, holders } = limit.info()
        if (free !== PERMITS || holders?.length !== 0)
          trial.lost(`${engine}: ${free} of ${PERMITS} permits are back, held by ${JSON.stringify(holders)}`)
      } catch (error) {
        trial.lost(String(error))
      } finally {
        limit.unlink()
      }
      trial.made()
    })
    for (const [engine, each] of times) {
      const what = tooLong(each, LATEST)
      if (what !== undefined) trial.lost(`${engine}: back after ${what}`)
    }
    const figures = [...times].map(
      ([engine, each]) => `${engine}: back after ${ms(median(each))} (median), ${ms(largest(each))} (latest)`,
    )
    return `${figures.join('; ')}${late > 0 ? `, ${late} after more than 100 ms on a machine that was busy` : ''}`
  },
}
export default promised
