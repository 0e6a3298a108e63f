import type { ExecutionContext } from 'ava'

import type { SharedMemory } from '../../index.js'
import type { Child } from './child.ts'
import { uniqueName } from './names.ts'
import { allTurns, makeTurns, most, now, type Turn } from './turns.ts'
import { until } from './until.ts'

/** How long a turn may take to come. */
const PATIENCE = 40_000

/** What is done in a crowd. */
export interface CrowdWork {
  /** Starts a process that says 'working', and then takes turns: `name` is what it takes, `memory` and `slot` say where it tells. */
  start(name: string, memory: string, slot: number): Child
  /** How many may act at the same time. */
  readonly permits: number
  /** Whether a turn that goes on now is one of the long ones, with enough of it still to come. */
  isLong(turn: Turn): boolean
}

/** Processes that take turns under permits or a lock, and tell in memory when they acted: it survives a kill -9. */
export class Crowd {
  readonly clients: Child[] = []
  readonly #t: ExecutionContext
  readonly #work: CrowdWork
  readonly #name: string
  readonly #memoryName: string
  readonly #memory: SharedMemory

  constructor(t: ExecutionContext, work: CrowdWork) {
    this.#t = t
    this.#work = work
    this.#name = uniqueName(t)
    this.#memoryName = uniqueName(t)
    this.#memory = makeTurns(this.#memoryName)
  }

  /** So many that work. */
  static async of(t: ExecutionContext, count: number, work: CrowdWork): Promise<Crowd> {
    const crowd = new Crowd(t, work)
    await Promise.all(Array.from({ length: count }, (_, slot) => crowd.start(slot)))
    await crowd.progress('at first')
    return crowd
  }

  /** Starts the one of this number, the first time or again. */
  async start(slot: number): Promise<void> {
    const client = this.#work.start(this.#name, this.#memoryName, slot)
    this.clients[slot] = client
    this.#t.is(await client.next(), 'working')
  }

  /** Kills it, and starts it again. */
  async replace(slot: number): Promise<void> {
    const client = this.clients[slot] as Child
    client.kill('SIGKILL')
    await client.exit
    await this.start(slot)
  }

  /** So many turns begin from now on. */
  async progress(what: string, turns = 9): Promise<void> {
    const start = now()
    const begun = () => allTurns(this.#memory).filter(({ first }) => first > start).length
    await until(`${turns} turns ${what}`, () => begun() >= turns, PATIENCE)
    this.#t.pass(what)
  }

  /** One of the long turns is under way. */
  async longTurn(): Promise<void> {
    await until('a long turn', () => allTurns(this.#memory).some(turn => this.#work.isLong(turn)), PATIENCE)
  }

  /** Ends them, and answers how often what they held was lost. */
  async end(): Promise<number> {
    let lost = 0
    for (const client of this.clients) client.send('end')
    for (const client of this.clients) {
      const counts = (await client.next()) as { turns: number; lost: number }
      this.#t.true(counts.turns >= 0, JSON.stringify(counts))
      lost += counts.lost
      this.#t.like(await client.exit, { code: 0, stderr: '' })
    }
    return lost
  }

  /** Never more acted than may, and as many did, in more than `enough` turns. */
  check(enough: number): void {
    const turns = allTurns(this.#memory)
    this.#memory.close()
    this.#t.true(turns.length > enough, `${turns.length} turns`)
    this.#t.is(most(turns), this.#work.permits)
  }
}
