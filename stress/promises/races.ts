import { randomBytes } from 'node:crypto'

import { Semaphore } from '../../index.js'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const RACERS = 3
const INITIAL = 2

const promised: Promised = {
  promise: 'several processes create, open and post at the same time: no post is lost',
  trials: { long: 20_000, short: 1_000 },
  limit: 900,
  async run(trial) {
    const prefix = `/os-ipc-${randomBytes(4).toString('hex')}`
    const done = Semaphore.create(`${prefix}-done`, { initial: 0 })
    const gates = Array.from({ length: RACERS }, (_, racer) =>
      Semaphore.create(`${prefix}-gate-${racer}`, { initial: 0 }),
    )
    trial.teardown(() => {
      for (const semaphore of [done, ...gates]) semaphore.unlink()
    })
    for (let racer = 0; racer < RACERS; racer += 1) {
      child(trial, 'races', { args: [prefix, racer, trial.count, INITIAL] })
    }
    for (const gate of gates) gate.post()
    for (let race = 0; race < trial.count; race += 1) {
      for (let racer = 0; racer < RACERS; racer += 1) done.waitSync({ timeout: 20_000 })
      using semaphore = Semaphore.open(`${prefix}-${race}`)
      const { value } = semaphore
      if (value !== INITIAL + RACERS) trial.lost(`race ${race}: ${value} units, not ${INITIAL + RACERS}`)
      semaphore.unlink()
      for (const gate of gates) gate.post()
      trial.made()
      if (race % 100 === 0) await new Promise(resolve => setImmediate(resolve))
    }
    return `${(trial.count * RACERS).toLocaleString('en')} posts of ${RACERS} processes, all there`
  },
}
export default promised
