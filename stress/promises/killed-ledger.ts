import { Limit, SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { inspection } from '../../__test__/shared/needs.ts'
import { checkPermits, Contenders, described } from '../contenders.ts'
import { largest, median, ms } from '../figures.ts'
import { Headcount } from '../headcount.ts'
import { tooLong } from '../machine.ts'
import { waitForLedger } from '../ledgers.ts'
import { atOnce } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const PERMITS = 3
const PROCESSES = 8
/** The number of processes that are killed at the same time. */
const KILLERS = 2
/** The time after which the next process has the permit of a killed one. */
const LATEST = 100
const HANGS = 10_000

const promised: Promised = {
  promise:
    '8 processes use a limit of the engine `ledger` and are killed at random: the held permits never exceed the number of permits, the next grant comes within 100 ms, and all permits are free at the end',
  trials: { long: 1_000, short: 30 },
  limit: 900,
  prepare: waitForLedger,
  needs: inspection,
  async run(trial) {
    const name = uniqueName(trial)
    using limit = Limit.create(name, { permits: PERMITS, engine: 'ledger' })
    using memory = SharedMemory.create(name, { size: Headcount.SIZE })
    try {
      return await new Contest(trial, name, limit, new Headcount(memory.buffer)).run()
    } finally {
      limit.unlink()
      memory.unlink()
    }
  },
}
export default promised

class Contest {
  readonly #trial: Trial
  readonly #limit: Limit
  /** A process is in one place: the time to the next grant is that of the kill, not that of a long line. */
  readonly #contenders: Contenders
  /** The milliseconds from a kill to the grant that the coordinator waited for. */
  readonly #times: number[] = []
  #late = 0

  constructor(trial: Trial, name: string, limit: Limit, headcount: Headcount) {
    this.#trial = trial
    this.#limit = limit
    headcount.allow(PERMITS)
    this.#contenders = new Contenders(trial, name, headcount, PROCESSES, 1)
  }

  async run(): Promise<string> {
    await this.#contenders.ready()
    await atOnce(KILLERS, this.#trial.count, async turn => {
      await this.#contenders.kill(turn, async kill => {
        kill()
        await this.#grant()
      })
      this.#trial.made()
    })
    const seen = await this.#contenders.stop()
    this.#exact()
    const what = tooLong(this.#times, LATEST)
    if (what !== undefined) this.#trial.lost(`the next grant came ${what} after a kill`)
    const busy = this.#late > 0 ? `, ${this.#late} after more than 100 ms on a machine that was busy` : ''
    return `${this.#contenders.killedInside} killed inside; the next grant after ${ms(median(this.#times))} (median), ${ms(largest(this.#times))} (latest)${busy}; ${described(this.#trial, seen)}`
  }

  /** Every waiter is served soon: the coordinator waits in the same line. */
  async #grant(): Promise<void> {
    const start = performance.now()
    try {
      using _permit = await this.#limit.acquire({ timeout: HANGS })
    } catch (error) {
      this.#trial.lost(`no grant after a kill: ${error}`)
      return
    }
    const time = performance.now() - start
    this.#times.push(time)
    if (time > LATEST) this.#late += 1
  }

  /** The record and the holders agree, and exactly that number of permits can be taken. */
  #exact(): void {
    checkPermits(this.#trial, this.#limit, PERMITS)
    const { permits, free, holders, unnamed, waiters } = this.#limit.info()
    if (permits !== PERMITS || free !== PERMITS || holders?.length !== 0 || unnamed !== 0 || waiters !== 0)
      this.#trial.lost(
        `at the end ${free} of ${permits} are free, held by ${JSON.stringify(holders)} and ${unnamed} more, ${waiters} wait`,
      )
  }
}
