import { Semaphore } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { median, ms } from '../figures.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const SEMAPHORES = 100
const POOLS = [1, 4, 16]
const FACTOR = 3
/** A reader whose threads the kernel puts on two processors reads 5 times slower, with and without waits. */
const READERS = 5
/** The most readers, where other load on the machine slowed the first ones. */
const MOST_READERS = 20

const promised: Promised = {
  promise: '`fs.readFile` during 500 pending waits takes at most 3 times as long as in an idle process',
  trials: { long: 3_000, short: 900 },
  async run(trial) {
    const prefix = uniqueName(trial)
    const semaphores = Array.from({ length: SEMAPHORES }, (_, i) =>
      Semaphore.create(`${prefix}-${i}`, { initial: 0 }),
    )
    const figures: string[] = []
    const reads = trial.count / POOLS.length / READERS
    for (const pool of POOLS) {
      const times = async (waits: number): Promise<number[]> => {
        const reader = child(trial, 'readfile', {
          args: [prefix, waits, reads],
          env: { UV_THREADPOOL_SIZE: String(pool) },
        })
        return (await reader.next()) as number[]
      }
      let [idle, waiting] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
      const isSlow = () => !(waiting <= idle * FACTOR)
      for (let reader = 0; reader < READERS || (isSlow() && reader < MOST_READERS); reader++) {
        // Both run side by side, so that other load on the machine slows both.
        const [without, during] = (await Promise.all([times(0), times(500)])).map(median) as [number, number]
        idle = Math.min(idle, without)
        waiting = Math.min(waiting, during)
        trial.made(reads)
      }
      if (isSlow()) trial.lost(`pool of ${pool}: ${ms(waiting)} against ${ms(idle)}`)
      figures.push(`pool of ${pool}: ${ms(waiting)} against ${ms(idle)}`)
    }
    for (const semaphore of semaphores) {
      semaphore.unlink()
      semaphore.close()
    }
    return figures.join('; ')
  },
}
export default promised
