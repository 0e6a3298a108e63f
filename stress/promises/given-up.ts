import { setImmediate, setTimeout as sleep } from 'node:timers/promises'

import { Limit, type Permit, Semaphore } from '../../index.js'
import { type Backend, backends } from '../../__test__/shared/backends.ts'
import { type Engine, engines } from '../../__test__/shared/engines.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { random } from '../figures.ts'
import { waitForLedger } from '../ledgers.ts'
import { atOnce } from '../program.ts'
import type { Promised } from '../promise.ts'

const PERMITS = 3

/** The object of the waits: units that are posted all the time, or permits that come back. */
interface Source {
  take(options: object): Promise<Permit | undefined>
  /** The expected and the real number of units or permits at the end. */
  left(taken: number): { expected: number; found: number }
  end(): Promise<void>
  remove(): void
}

const promised: Promised = {
  promise: 'aborts and timeouts at random moments neither lose nor double a unit',
  trials: { long: 20_000, short: 2_000 },
  prepare: waitForLedger,
  async run(trial) {
    const counts = { granted: 0, aborted: 0, timedOut: 0 }
    const sources: Record<string, () => Source> = {
      ...Object.fromEntries(
        engines.map(engine => [`limit, ${engine}`, () => permits(uniqueName(trial), engine)]),
      ),
      ...Object.fromEntries(backends.map(backend => [backend, () => units(uniqueName(trial), backend)])),
    }
    for (const [kind, open] of Object.entries(sources)) {
      const source = open()
      let taken = 0
      // Half of the trials are about permits.
      const share = 2 * (kind.startsWith('limit') ? engines.length : backends.length)
      await atOnce(20, trial.count / share, async index => {
        const controller = new AbortController()
        const options =
          [{ signal: controller.signal }, { timeout: random(4) + Math.random() }, {}][index % 3] ?? {}
        const waiting = source.take(options)
        if ('signal' in options) {
          if (random(2) === 0) queueMicrotask(() => controller.abort())
          else sleep(random(3)).then(() => controller.abort())
        }
        try {
          const permit = await waiting
          counts.granted += 1
          if (permit) {
            await sleep(random(2))
            permit.release()
          } else taken += 1
        } catch (error) {
          const { name: what, code } = error as NodeJS.ErrnoException
          if (what === 'AbortError') counts.aborted += 1
          else if (code === 'ETIMEDOUT') counts.timedOut += 1
          else trial.lost(String(error))
        }
        trial.made()
      })
      await source.end()
      const isOff = (): boolean => source.left(taken).found !== source.left(taken).expected
      // The unit of the last waiter that gave up may still be on its way back.
      for (const deadline = performance.now() + 30_000; isOff() && performance.now() < deadline; )
        await sleep(10)
      const { expected, found } = source.left(taken)
      if (found !== expected) trial.lost(`${kind}: ${found} are there in the end, not ${expected}`)
      source.remove()
    }
    return `${counts.granted} got their unit or permit, ${counts.aborted} aborted, ${counts.timedOut} timed out`
  },
}
export default promised

function permits(name: string, engine: Engine): Source {
  const limit = Limit.create(name, { permits: PERMITS, engine })
  return {
    take: options => limit.acquire(options),
    left: () => ({ expected: PERMITS, found: limit.info().free }),
    end: async () => {},
    remove: () => {
      limit.unlink()
      limit.close()
    },
  }
}

function units(name: string, backend: Backend): Source {
  const semaphore = Semaphore.create(name, { initial: 0, backend })
  let posted = 0
  let running = true
  const poster = (async () => {
    while (running) {
      // About as many units as waits are there, and never far more.
      if (semaphore.value < 3) {
        semaphore.post()
        posted += 1
      }
      if (random(4) === 0) await setImmediate()
      else await sleep(random(2))
    }
  })()
  return {
    take: options => semaphore.wait(options).then(() => undefined),
    left: taken => ({ expected: posted - taken, found: semaphore.value }),
    end: async () => {
      running = false
      await poster
    },
    remove: () => semaphore.unlink(),
  }
}
