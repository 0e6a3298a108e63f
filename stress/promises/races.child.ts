// Every racer opens or makes each semaphore of a row at the same moment as the others, and posts to it once.

import { setImmediate } from 'node:timers/promises'

import { Semaphore, SharedMemory } from '../../index.js'

/** How many race. */
export const EVERYBODY = 3
export const INITIAL = 2

/** Keeps the racers together: shared numbers say who is where. */
export class Races {
  readonly #numbers: Int32Array

  constructor(memory: SharedMemory) {
    this.#numbers = new Int32Array(memory.buffer)
  }

  /** Waits until `race` may begin. */
  async start(race: number): Promise<void> {
    for (let turns = 0; Atomics.load(this.#numbers, 0) < race; turns += 1) {
      if (turns > 500) await setImmediate()
    }
  }

  /** A racer is done. */
  done(created: boolean): void {
    if (created) Atomics.add(this.#numbers, 2, 1)
    Atomics.add(this.#numbers, 1, 1)
  }

  /** Waits until every racer is done. */
  async finished(_race: number): Promise<void> {
    while (Atomics.load(this.#numbers, 1) < EVERYBODY) await setImmediate()
  }

  /** How many of them made the semaphore. */
  created(): number {
    return Atomics.load(this.#numbers, 2)
  }

  /** Begins the next race. */
  next(): void {
    Atomics.store(this.#numbers, 1, 0)
    Atomics.store(this.#numbers, 2, 0)
    Atomics.add(this.#numbers, 0, 1)
  }
}

/** The last racer only opens what is there, the others open or make it. */
function enter(name: string, racer: number): Semaphore {
  if (racer < EVERYBODY - 1) return Semaphore.openOrCreate(name, { initial: INITIAL })
  for (;;) {
    try {
      return Semaphore.open(name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

if (process.argv[1] === import.meta.filename) {
  const [prefix = '', racer, count] = process.argv.slice(2)
  const races = new Races(SharedMemory.open(prefix))
  for (let race = 0; race < Number(count); race += 1) {
    await races.start(race)
    using semaphore = enter(`${prefix}-${race}`, Number(racer))
    semaphore.post()
    races.done(semaphore.created)
  }
}
