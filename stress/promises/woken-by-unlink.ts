import { Semaphore } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { setTimeout as sleep } from 'node:timers/promises'

import { largest, median, ms } from '../figures.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const PROCESSES = 8
const WAITERS = 64

const promised: Promised = {
  promise: '`unlink` wakes 64 waiters in 8 processes, all with EIDRM',
  trials: { long: 100, short: 10 },
  async run(trial) {
    const name = uniqueName(trial)
    const waiters = Array.from({ length: PROCESSES }, () =>
      child(trial, 'woken-by-unlink', { args: [name, WAITERS / PROCESSES] }),
    )
    const times: number[] = []
    for (let turn = 0; turn < trial.count; turn += 1) {
      using semaphore = Semaphore.create(name, { initial: 0 })
      for (const waiter of waiters) waiter.send('wait')
      for (const waiter of waiters) await waiter.next()
      // One thread of each process is in the kernel for all of its waits.
      while ((semaphore.info().waiters ?? 0) < PROCESSES) await sleep(1)
      const start = performance.now()
      semaphore.unlink()
      const outcomes = (await Promise.all(waiters.map(waiter => waiter.next()))) as string[][]
      times.push(performance.now() - start)
      const woken = outcomes.flat().filter(code => code === 'EIDRM')
      if (woken.length !== WAITERS) trial.lost(`turn ${turn}: ${JSON.stringify(outcomes)}`)
      trial.made()
    }
    for (const waiter of waiters) waiter.kill()
    return `all ${WAITERS} after ${ms(median(times))} (median), ${ms(largest(times))} (latest)`
  },
}
export default promised
