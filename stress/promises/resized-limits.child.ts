// Takes permits of a limit in two lanes, in every way there is, and says what must not be, until it is killed or told to stop.

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, type Permit, SharedMemory } from '../../index.js'
import { heard, say } from '../../__test__/shared/fixture.ts'
import { random } from '../figures.ts'
import { Headcount } from '../headcount.ts'

const [name = '', ...places] = process.argv.slice(2)
const limit = Limit.open(name)
const headcount = new Headcount(SharedMemory.open(name).buffer)
/** How often a permit was held, how often the count was certain then, and how often it was as large as it may be. */
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
    // So many processes do not leave each other a processor otherwise.
    await sleep(random(10))
  }
}

/** A wait always has an end: with no permits at all it would have none. */
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
