import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, SharedMemory } from '../../index.js'
import { type Engine, engines } from '../../__test__/shared/engines.ts'
import { uniqueName } from '../../__test__/shared/names.ts'
import { checkPermits, Contenders, described, ready } from '../contenders.ts'
import { random } from '../figures.ts'
import { Headcount } from '../headcount.ts'
import { waitForLedger } from '../ledgers.ts'
import { atOnce, child, type Program } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const MOST = 12
const LAST = 5
const LANES = 2
/** The number of processes that are killed at the same time. */
const KILLERS = 4
/** One kill out of this number hits a resizer in the middle of its work. */
const RESIZER_EVERY = 20

const promised: Promised = {
  promise:
    'two processes resize a limit all the time, and 32 processes that use it are killed at random: the held permits never exceed the larger number during a change, nor the new number after it, and the count is exact at the end (every engine)',
  trials: { long: 1_000, short: 40 },
  limit: 900,
  prepare: waitForLedger,
  async run(trial) {
    const figures: string[] = []
    for (const engine of engines) {
      const lost = (what: string): void => trial.lost(`${engine}: ${what}`)
      figures.push(`${engine}: ${await contest({ ...trial, lost }, engine)}`)
    }
    return figures.join('; ')
  },
}
export default promised

async function contest(trial: Trial, engine: Engine): Promise<string> {
  const name = uniqueName(trial)
  using limit = Limit.create(name, { permits: LAST, engine })
  using memory = SharedMemory.create(name, { size: Headcount.SIZE })
  try {
    return await new Contest(trial, name, limit, new Headcount(memory.buffer)).run()
  } finally {
    limit.unlink()
    memory.unlink()
  }
}

class Contest {
  readonly #trial: Trial
  readonly #name: string
  readonly #limit: Limit
  readonly #headcount: Headcount
  readonly #contenders: Contenders
  readonly #resizers: [Program, Program]
  #resizes = 0
  #givenUp = 0
  #resizersKilled = 0
  /** Whether a resizer is killed during the next change. */
  #killResizer = false

  constructor(trial: Trial, name: string, limit: Limit, headcount: Headcount) {
    this.#trial = trial
    this.#name = name
    this.#limit = limit
    this.#headcount = headcount
    headcount.allow(LAST)
    this.#contenders = new Contenders(trial, name, headcount, trial.long ? 32 : 8, LANES)
    this.#resizers = [this.#resizer(), this.#resizer()]
  }

  async run(): Promise<string> {
    await this.#contenders.ready()
    for (const resizer of this.#resizers) await ready(this.#trial, resizer)
    let killing = true
    const resizing = (async () => {
      while (killing) await this.#resizeTwice()
    })()
    await atOnce(KILLERS, this.#trial.count / engines.length, async turn => {
      await this.#contenders.kill(turn)
      if (turn % RESIZER_EVERY === 0) this.#killResizer = true
      this.#trial.made()
    })
    killing = false
    await resizing
    this.#headcount.allow(Math.max(this.#permits, LAST))
    await this.#limit.resize(LAST, { timeout: 60_000 })
    this.#headcount.allow(LAST)
    await sleep(200)
    const seen = await this.#contenders.stop()
    for (const resizer of this.#resizers) {
      resizer.kill()
      await resizer.exit
    }
    this.#exact()
    const some = (number: number): string => number.toLocaleString('en')
    return `${some(this.#resizes)} resizes, ${this.#givenUp} given up, ${this.#resizersKilled} resizers killed; ${this.#contenders.killedInside} killed inside; ${described(this.#trial, seen)}`
  }

  get #permits(): number {
    return this.#limit.permits ?? Number.NaN
  }

  /** Two processes change the limit at once; then the limit stays unchanged for a moment. */
  async #resizeTwice(): Promise<void> {
    const before = this.#permits
    const wanted = this.#resizers.map(() => random(MOST + 1))
    const [least, most] = [Math.min(before, ...wanted), Math.max(before, ...wanted)]
    this.#headcount.allow(most)
    for (const [index, resizer] of this.#resizers.entries()) {
      resizer.send({ to: wanted[index], ...(random(5) === 0 && { timeout: random(5) }) })
    }
    const victim = this.#killResizer ? random(2) : undefined
    if (victim !== undefined) {
      await sleep(random(4))
      this.#resizers[victim]?.kill()
    }
    const answers = await Promise.all(this.#resizers.map(resizer => resizer.next()))
    const { permits } = this.#limit
    for (const [index, answer] of answers.entries()) {
      if (answer === 'given up') this.#givenUp += 1
      else if (answer !== 'done' && index !== victim) this.#trial.lost(`a resizer: ${answer ?? 'ended'}`)
    }
    const allDone = answers.every(answer => answer === 'done')
    const isRight = permits !== undefined && permits >= least && permits <= most
    if (!isRight || (allDone && !wanted.includes(permits)))
      this.#trial.lost(
        `from ${before} to ${wanted.join(' and ')}: ${permits} permits (${answers.join(', ')})`,
      )
    this.#headcount.allow(permits ?? 0)
    this.#resizes += 2
    if (victim !== undefined) await this.#replace(victim)
    const until = performance.now() + random(20)
    while (performance.now() < until) {
      const seen = this.#headcount.look()
      if (seen !== undefined && seen.inside > seen.most)
        this.#trial.lost(`${seen.inside} are inside a limit that has ${seen.most}`)
      await sleep(1)
    }
  }

  async #replace(victim: number): Promise<void> {
    await this.#resizers[victim]?.exit
    const fresh = this.#resizer()
    this.#resizers[victim] = fresh
    await ready(this.#trial, fresh)
    this.#resizersKilled += 1
    this.#killResizer = false
  }

  /** The record, the counter and the holders agree, and exactly that number of permits can be taken. */
  #exact(): void {
    const { permits, free, holders, unnamed } = this.#limit.info()
    if (permits !== LAST || free !== LAST || holders?.length !== 0 || unnamed !== 0)
      this.#trial.lost(
        `at the end ${free} of ${permits} are free, held by ${JSON.stringify(holders)} and ${unnamed} more`,
      )
    checkPermits(this.#trial, this.#limit, LAST)
  }

  #resizer(): Program {
    return child(this.#trial, 'resized-limits-resizer', { args: [this.#name] })
  }
}
