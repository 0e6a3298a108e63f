import { setTimeout as sleep } from 'node:timers/promises'

import type { Limit, Permit } from '../index.js'
import { random } from './figures.ts'
import type { Headcount } from './headcount.ts'
import { child, type Program } from './program.ts'
import type { Trial } from './promise.ts'

/** What the processes that were not killed saw: turns, turns with a certain headcount, and those of them at the limit. */
export interface Seen {
  turns: number
  certain: number
  full: number
}

/** Processes that use one limit and are killed at random, beside a headcount that is independent of the limit. */
export class Contenders {
  /** How many were killed inside the limit. */
  killedInside = 0
  readonly #trial: Trial
  readonly #name: string
  readonly #headcount: Headcount
  /** How many permits each of them takes at a time, and so how many places it has in the headcount. */
  readonly #lanes: number
  readonly #workers: (Program | undefined)[]

  constructor(trial: Trial, name: string, headcount: Headcount, count: number, lanes: number) {
    this.#trial = trial
    this.#name = name
    this.#headcount = headcount
    this.#lanes = lanes
    this.#workers = Array.from({ length: count }, (_, index) => this.#start(index))
  }

  async ready(): Promise<void> {
    for (const worker of this.#workers) await ready(this.#trial, worker)
  }

  /**
   * Kills one of them at a random moment, every other turn while it is inside, and replaces it. `during` calls `kill`, and does what
   * is to be done before the process has ended.
   */
  async kill(
    turn: number,
    during: (kill: () => void) => Promise<void> = async kill => kill(),
  ): Promise<void> {
    // The workers that are killed at the same time are different ones.
    let index = random(this.#workers.length)
    while (this.#workers[index] === undefined) index = random(this.#workers.length)
    const worker = this.#workers[index] as Program
    this.#workers[index] = undefined
    await sleep(random(20))
    const places = this.#placesOf(index)
    for (let look = 0; turn % 2 === 0 && look < 100; look += 1) {
      if (places.some(place => this.#headcount.isInside(place))) break
      await sleep(1)
    }
    this.#headcount.doom(places)
    await during(() => worker.kill())
    const { code, signal } = await worker.exit
    if (signal !== 'SIGKILL') this.#trial.lost(`a process ended with ${signal ?? `exit code ${code}`}`)
    for (let said = await worker.next(); said !== undefined; said = await worker.next())
      this.#trial.lost(String(said))
    if (this.#headcount.clear(places)) this.killedInside += 1
    const fresh = this.#start(index)
    await ready(this.#trial, fresh)
    this.#workers[index] = fresh
  }

  /** Half of them are killed, the others end by themselves and report what they saw. */
  async stop(): Promise<Seen> {
    const sum: Seen = { turns: 0, certain: 0, full: 0 }
    for (const [index, worker] of this.#workers.entries()) {
      if (index % 2 === 0) {
        this.#headcount.doom(this.#placesOf(index))
        worker?.kill()
      } else worker?.send('stop')
    }
    for (const worker of this.#workers) {
      for (let said = await worker?.next(); said !== undefined; said = await worker?.next()) {
        if (typeof said === 'string') this.#trial.lost(said)
        else for (const [key, value] of Object.entries(said as Seen)) sum[key as keyof Seen] += value
      }
      await worker?.exit
    }
    return sum
  }

  #start(index: number): Program {
    return child(this.#trial, 'resized-limits', { args: [this.#name, ...this.#placesOf(index)] })
  }

  #placesOf(index: number): number[] {
    return Array.from({ length: this.#lanes }, (_, lane) => index * this.#lanes + lane)
  }
}

export async function ready(trial: Trial, program: Program | undefined): Promise<void> {
  const said = await program?.next()
  if (said !== 'ready') trial.lost(String(said ?? 'a process did not start'))
}

/** Exactly this number of permits can be taken. */
export function checkPermits(trial: Trial, limit: Limit, permits: number): void {
  const taken: Permit[] = []
  for (let permit = limit.tryAcquire(); permit !== null; permit = limit.tryAcquire()) taken.push(permit)
  if (taken.length !== permits) trial.lost(`${taken.length} permits can be had at the end, not ${permits}`)
  for (const permit of taken) permit.release()
}

/** The turns in words; a headcount that never reached the limit proves nothing. */
export function described(trial: Trial, { turns, certain, full }: Seen): string {
  if (full === 0) trial.lost('never were as many inside as may be')
  const [all, counted, atLimit] = [turns, certain, full].map(number => number.toLocaleString('en'))
  return `${all} turns of those that lived on, ${counted} counted, ${atLimit} of them at the limit`
}
