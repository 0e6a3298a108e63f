import { setTimeout as sleep } from 'node:timers/promises'

import { Semaphore } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { median, ms, random } from '../figures.ts'
import { allowed, isBusy } from '../machine.ts'
import { atOnce, child } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const LATE = 5
/** The signals per second: a pause of 1 ms between two signals allows this rate on a busy machine. */
const LEAST_RATE = 300

const promised: Promised = {
  promise: 'a timeout is never early, and late by less than 5 ms (median), also with 1,000 signals a second',
  trials: { long: 2_000, short: 200 },
  async run(trial) {
    const calm = await late(trial, trial.count / 2)
    const storm = child(trial, 'timeouts', { args: [process.pid] })
    const heard = { signals: 0 }
    const listener = (): void => {
      heard.signals += 1
    }
    process.on('SIGWINCH', listener)
    await storm.next()
    const start = performance.now()
    const stormy = await late(trial, trial.count / 2)
    const rate = heard.signals / ((performance.now() - start) / 1000)
    storm.kill()
    await storm.exit
    await sleep(10)
    process.off('SIGWINCH', listener)
    if (rate < LEAST_RATE && !(isBusy() && rate > 0)) trial.lost(`a storm of ${rate} signals a second`)
    return `late by ${ms(calm)}; under ${Math.round(rate).toLocaleString('en')} signals a second by ${ms(stormy)}`
  },
}
export default promised

/** The median lateness of the timeouts, for both backends, for waits and blocking calls. */
async function late(trial: Trial, count: number): Promise<number> {
  const times: number[] = []
  const wasBusy = isBusy()
  for (const backend of ['sysv', 'posix'] as const) {
    using semaphore = Semaphore.create(uniqueName(trial), { initial: 0, backend })
    const tried = async (timeout: number, wait: () => void | Promise<void>): Promise<void> => {
      const start = performance.now()
      try {
        await wait()
        trial.lost('there was no unit, and a wait got one')
      } catch (error) {
        const time = performance.now() - start
        if ((error as NodeJS.ErrnoException).code !== 'ETIMEDOUT') trial.lost(String(error))
        if (time < timeout) trial.lost(`${timeout} ms were over after ${time} ms`)
        times.push(time - timeout)
      }
      trial.made()
    }
    await atOnce(4, count / 4, async () => {
      const timeout = random(30) + Math.random()
      await tried(timeout, () => semaphore.wait({ timeout }))
    })
    for (let wait = 0; wait < count / 4; wait += 1) {
      const timeout = random(8) + Math.random()
      await tried(timeout, () => semaphore.waitSync({ timeout }))
    }
    semaphore.unlink()
  }
  const middle = median(times)
  if (middle >= allowed(LATE, wasBusy)) trial.lost(`late by ${ms(middle)}`)
  return middle
}
