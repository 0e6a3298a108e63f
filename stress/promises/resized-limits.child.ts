// Takes permits of a limit in two lanes, in every possible way, and reports every violation, until it is killed or told to stop.

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, type Permit, SharedMemory } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'
import { random } from '../figures.ts'
import { Headcount } from '../headcount.ts'

const [name = '', ...places] = process.argv.slice(2)
const limit = Limit.open(name)
const headcount = new Headcount(SharedMemory.open(name).buffer)
/** The number of holds, the number of those with a certain headcount, and the number of those at the limit. */
const seen = { turns: 0, certain: 0, full: 0 }
let stopped = false
say('ready')
const lanes = places.map(place => lane(Number(place)))
await heard()
stopped = true
await Promise.all(lanes)
say(seen)
process.exit(0)

async function lane(place: number): Promise<void> {
  while (!stopped) {
    const permit = await take()
    if (permit === undefined) {
      await sleep(random(10))
      continue
    }
    const now = headcount.enter(place)
    if (now !== undefined) {
      seen.certain += 1
      if (now.inside === now.most) seen.full += 1
      if (now.inside > now.most) say(`${now.inside} are inside, and ${now.most} may be`)
    }
    seen.turns += 1
    await sleep(random(8))
    headcount.leave(place)
    permit.release()
    // Without this pause the processes would leave each other no processor time.
    await sleep(random(10))
  }
}

/** Every wait has a timeout: with 0 permits it would never end. */
async function take(): Promise<Permit | undefined> {
  try {
    switch (random(4)) {
      case 0:
        return limit.tryAcquire() ?? undefined
      case 1:
        return await limit.acquire({ timeout: random(20) })
      case 2:
        return await limit.acquire({ signal: AbortSignal.timeout(1 + random(20)) })
      default:
        return await limit.acquire({ timeout: 2_000 })
    }
  } catch (error) {
    const { name, code } = error as NodeJS.ErrnoException
    if (name !== 'TimeoutError' && code !== 'ETIMEDOUT') say(String(error))
    return undefined
  }
}
