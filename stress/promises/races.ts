import { randomBytes } from 'node:crypto'

import { Semaphore, SharedMemory } from '../../index.js'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'
import { EVERYBODY, INITIAL, Races } from './races.child.ts'

const promised: Promised = {
  promise: 'of processes that create, open and post at once, no post is lost',
  trials: { long: 20_000, short: 1_000 },
  async run(trial) {
    const prefix = `/os-ipc-${randomBytes(4).toString('hex')}`
    using memory = SharedMemory.create(prefix, { size: 64 })
    trial.teardown(() => memory.remove())
    const races = new Races(memory)
    const racers = Array.from({ length: EVERYBODY }, (_, racer) =>
      child(trial, 'races', { args: [prefix, racer, trial.count] }),
    )
    let made = 0
    let creators = 0
    for (let race = 0; race < trial.count; race += 1) {
      await races.finished(race)
      using semaphore = Semaphore.open(`${prefix}-${race}`)
      if (semaphore.value !== INITIAL + EVERYBODY)
        trial.lost(`race ${race}: ${semaphore.value} units, not ${INITIAL + EVERYBODY}`)
      const created = races.created()
      if (created !== 1) trial.lost(`race ${race}: ${created} processes made it`)
      creators += created
      semaphore.unlink()
      races.next()
      made += 1
      trial.made()
    }
    await Promise.all(racers.map(racer => racer.exit))
    return `${made * EVERYBODY} posts of ${EVERYBODY} processes, all there; ${creators} creators`
  },
}
export default promised
