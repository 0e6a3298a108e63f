import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

import { type Permit, Semaphore } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { random } from '../figures.ts'
import { atOnce } from '../program.ts'
import type { Promised } from '../promise.ts'

const promised: Promised = {
  promise: 'aborts and timeouts at random moments lose and double nothing',
  trials: { long: 20_000, short: 2_000 },
  async run(trial) {
    const counts = { granted: 0, aborted: 0, timedOut: 0 }
    for (const backend of ['sysv', 'posix'] as const) {
      const name = uniqueName(trial)
      using semaphore = Semaphore.create(name, { initial: 0, backend })
      let posted = 0
      let taken = 0
      let running = true
      const poster = (async () => {
        while (running) {
          // As many units as waits are likely to be there, and never far more.
          if (semaphore.value < 3) {
            semaphore.post()
            posted += 1
          }
          if (random(4) === 0) await setImmediate()
          else await sleep(random(2))
        }
      })()
      await atOnce(20, trial.count / 2, async index => {
        const controller = new AbortController()
        const options =
          [{ signal: controller.signal }, { timeout: random(4) + Math.random() }, {}][index % 3] ?? {}
        const waiting: Promise<Permit | undefined> =
          index % 2 === 0 ? semaphore.wait(options).then(() => undefined) : semaphore.acquire(options)
        if ('signal' in options) {
          if (random(2) === 0) queueMicrotask(() => controller.abort())
          else sleep(random(3)).then(() => controller.abort())
        }
        try {
          const permit = await waiting
          counts.granted += 1
          if (permit) permit.release()
          else taken += 1
        } catch (error) {
          const { name: what, code } = error as NodeJS.ErrnoException
          if (what === 'AbortError') counts.aborted += 1
          else if (code === 'ETIMEDOUT') counts.timedOut += 1
          else trial.lost(String(error))
        }
        trial.made()
      })
      running = false
      await poster
      // A unit whose waiter gave up last may be on its way back.
      for (let turn = 0; turn < 100 && semaphore.value !== posted - taken; turn += 1) await sleep(10)
      if (semaphore.value !== posted - taken)
        trial.lost(`${backend}: ${posted} posted, ${taken} taken, ${semaphore.value} left`)
      semaphore.unlink()
    }
    return `${counts.granted} got their unit, ${counts.aborted} aborted, ${counts.timedOut} timed out`
  },
}
export default promised
