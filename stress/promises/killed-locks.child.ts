// Takes a lock in every possible way, with two requests at a time, and reports every violation, until it is killed.

import { setTimeout as sleep } from 'node:timers/promises'

import { SharedMemory } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'
import { managerOf } from '../../__test__/lock/helpers/locks-of.ts'
import { random } from '../figures.ts'
import { Marks } from '../marks.ts'

const [folder, name = '', memory = '', ...places] = process.argv.slice(2)
const manager = managerOf(folder)
const marks = new Marks(SharedMemory.open(memory).buffer)
const contending = places.map(place => contend(Number(place)))
say('contends')
await Promise.all(contending)

async function contend(place: number): Promise<void> {
  for (;;) {
    const alone = random(2) === 0
    const impatient = random(3) === 0
    const controller = new AbortController()
    const request = manager.request(
      name,
      { mode: alone ? 'exclusive' : 'shared', signal: controller.signal },
      async () => {
        const violation = marks.enter(place, alone)
        if (violation !== undefined) say(violation)
        await sleep(random(4))
        marks.leave(place)
      },
    )
    if (impatient) sleep(random(6)).then(() => controller.abort())
    try {
      await request
    } catch (error) {
      if ((error as Error).name !== 'AbortError') say(String(error))
    }
  }
}
