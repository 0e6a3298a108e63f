import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, type Permit, SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { linux } from '../../__test__/shared/needs.ts'
import { largest, median, ms, random } from '../figures.ts'
import { Headcount } from '../headcount.ts'
import { allowed, isBusy } from '../machine.ts'
import { waitForLedger } from '../ledgers.ts'
import { atOnce, child, type Program } from '../program.ts'
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
  needs: linux,
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
  readonly #name: string
  readonly #limit: Limit
  readonly #headcount: Headcount
  readonly #workers: (Program | undefined)[]
  /** The milliseconds from a kill to the grant that the coordinator waited for. */
  readonly #times: number[] = []
  #late = 0
  #killedInside = 0

  constructor(trial: Trial, name: string, limit: Limit, headcount: Headcount) {
    this.#trial = trial
    this.#name = name
    this.#limit = limit
    this.#headcount = headcount
    headcount.allow(PERMITS)
    this.#workers = Array.from({ length: PROCESSES }, (_, index) => this.#worker(index))
  }

  async run(): Promise<string> {
    for (const worker of this.#workers) await this.#ready(worker)
    await atOnce(KILLERS, this.#trial.count, async turn => {
      await this.#kill(turn)
      this.#trial.made()
    })
    const { turns, certain, full } = await this.#stop()
    await this.#exact()
    if (full === 0) this.#trial.lost('never were as many inside as may be')
    const some = (number: number): string => number.toLocaleString('en')
    const busy = this.#late > 0 ? `, ${this.#late} after more than 100 ms on a machine that was busy` : ''
    return `${this.#killedInside} killed inside; the next grant after ${ms(median(this.#times))} (median), ${ms(largest(this.#times))} (latest)${busy}; ${some(turns)} turns of those that lived on, ${some(certain)} counted, ${some(full)} of them at the limit`
  }

  /** Kills a worker at a random moment, half of the time while it is inside, and waits for a permit. */
  async #kill(turn: number): Promise<void> {
    let index = random(PROCESSES)
    // The workers that are killed at the same time are different ones.
    while (this.#workers[index] === undefined) index = random(PROCESSES)
    const worker = this.#workers[index] as Program
    this.#workers[index] = undefined
    await sleep(random(20))
    const places = placesOf(index)
    for (let look = 0; turn % 2 === 0 && look < 100; look += 1) {
      if (places.some(place => this.#headcount.isInside(place))) break
      await sleep(1)
    }
    this.#headcount.doom(places)
    const wasBusy = isBusy()
    worker.kill()
    await this.#grant(wasBusy)
    const { code, signal } = await worker.exit
    if (signal !== 'SIGKILL') this.#trial.lost(`a process ended with ${signal ?? `exit code ${code}`}`)
    for (let said = await worker.next(); said !== undefined; said = await worker.next())
      this.#trial.lost(String(said))
    if (this.#headcount.clear(places)) this.#killedInside += 1
    const fresh = this.#worker(index)
    await this.#ready(fresh)
    this.#workers[index] = fresh
  }

  /** Every waiter is served soon: the coordinator waits in the same line. */
  async #grant(wasBusy: boolean): Promise<void> {
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
    if (time > allowed(LATEST, wasBusy)) this.#trial.lost(`a grant came ${ms(time)} after a kill`)
  }

  /** Half of the workers are killed, the others end by themselves and report what they saw. */
  async #stop(): Promise<{ turns: number; certain: number; full: number }> {
    const sum = { turns: 0, certain: 0, full: 0 }
    for (const [index, worker] of this.#workers.entries()) {
      if (index % 2 === 0) {
        this.#headcount.doom(placesOf(index))
        worker?.kill()
      } else worker?.send('stop')
    }
    for (const worker of this.#workers) {
      for (let said = await worker?.next(); said !== undefined; said = await worker?.next()) {
        if (typeof said === 'string') this.#trial.lost(said)
        else for (const [key, value] of Object.entries(said as typeof sum)) sum[key as 'turns'] += value
      }
      await worker?.exit
    }
    return sum
  }

  /** The record and the holders agree, and exactly that number of permits can be taken. */
  async #exact(): Promise<void> {
    const taken: Permit[] = []
    for (let permit = this.#limit.tryAcquire(); permit !== null; permit = this.#limit.tryAcquire())
      taken.push(permit)
    if (taken.length !== PERMITS)
      this.#trial.lost(`${taken.length} permits can be had at the end, not ${PERMITS}`)
    for (const permit of taken) permit.release()
    const { permits, free, holders, unnamed, waiters } = this.#limit.info()
    if (permits !== PERMITS || free !== PERMITS || holders?.length !== 0 || unnamed !== 0 || waiters !== 0)
      this.#trial.lost(
        `at the end ${free} of ${permits} are free, held by ${JSON.stringify(holders)} and ${unnamed} more, ${waiters} wait`,
      )
  }

  async #ready(program: Program | undefined): Promise<void> {
    const said = await program?.next()
    if (said !== 'ready') this.#trial.lost(String(said ?? 'a process did not start'))
  }

  #worker(index: number): Program {
    return child(this.#trial, 'resized-limits', { args: [this.#name, ...placesOf(index)] })
  }
}

/** A process is in one place: the time to the next grant is that of the kill, not that of a long line. */
function placesOf(index: number): number[] {
  return [index]
}
