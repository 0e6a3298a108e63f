import { Semaphore } from '../../index.js'
import { nodes } from '../../__test__/shared/nodes.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { largest, median, ms } from '../figures.ts'
import { allowed, isBusy } from '../machine.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const SEMAPHORES = 100
const LATEST = 1_000
const ENDS = { exit: 0, uncaught: 1, unref: 0, SIGTERM: null } as const

const promised: Promised = {
  promise: 'a process with 500 pending waits on 100 semaphores ends within 1 s, in whatever way it ends',
  trials: { long: 20 * 12, short: 12 },
  limit: 900,
  async run(trial) {
    const prefix = uniqueName(trial)
    const semaphores = Array.from({ length: SEMAPHORES }, (_, i) =>
      Semaphore.create(`${prefix}-${i}`, { initial: 0 }),
    )
    const times: number[] = []
    for (let turn = 0; turn < trial.count / 12; turn += 1) {
      for (const node of nodes) {
        for (const [how, expected] of Object.entries(ENDS)) {
          const waiting = child(trial, 'exits', {
            args: [prefix, SEMAPHORES, how],
            node: node.path,
            quiet: true,
          })
          if ((await waiting.next()) !== 'waiting')
            throw new Error(`${how} on Node ${node.major} did not wait`)
          const wasBusy = isBusy()
          const start = performance.now()
          waiting.send('end')
          if (how === 'SIGTERM') waiting.kill('SIGTERM')
          const { code, signal } = await waiting.exit
          const time = performance.now() - start
          times.push(time)
          if (time > allowed(LATEST, wasBusy))
            trial.lost(`${how} on Node ${node.major}: gone after ${ms(time)}`)
          if (code !== expected || (how === 'SIGTERM' && signal !== 'SIGTERM'))
            trial.lost(`${how} on Node ${node.major}: ended with ${signal ?? `exit code ${code}`}`)
          trial.made()
        }
      }
    }
    for (const semaphore of semaphores) {
      if (semaphore.value !== 0 || semaphore.info().waiters !== 0)
        trial.lost(`${semaphore.name} has ${semaphore.value} units and ${semaphore.info().waiters} waiters`)
      semaphore.unlink()
      semaphore.close()
    }
    return `gone after ${ms(median(times))} (median), ${ms(largest(times))} (latest)`
  },
}
export default promised
