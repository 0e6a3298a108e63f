// Who acted when under a permit, told in shared memory by several processes.

import { SharedMemory } from '../../index.js'

/** How many processes, and turns of each, there is room for. */
export const PROCESSES = 8
const TURNS = 20_000

/** A count, then the first and the last time of each turn. */
const WORDS = 1 + 2 * TURNS

/** When somebody first and last acted in a turn. */
export interface Turn {
  readonly first: number
  readonly last: number
}

/** Makes the memory. */
export function makeTurns(name: string): SharedMemory {
  return SharedMemory.create(name, { size: PROCESSES * WORDS * 8 })
}

/** The part of one process, for itself. */
export function ownTurns(name: string, slot: number) {
  const words = partOf(SharedMemory.open(name), slot)
  return {
    now,
    begin() {
      const place = 1 + 2 * (words[0] as number)
      if (place >= WORDS) throw new Error('no room for more turns')
      let acted = false
      return {
        act(time: number): void {
          if (!acted) {
            words[place] = time
            words[place + 1] = time
            words[0] = (words[0] as number) + 1
          }
          acted = true
          words[place + 1] = time
        },
      }
    },
  }
}

/** What all processes did. */
export function allTurns(memory: SharedMemory): Turn[] {
  return Array.from({ length: PROCESSES }, (_, slot) => partOf(memory, slot)).flatMap(words =>
    Array.from({ length: words[0] as number }, (_, index) => ({
      first: words[1 + 2 * index] as number,
      last: words[2 + 2 * index] as number,
    })),
  )
}

/** How many turns went on at the same time, at most. */
export function most(turns: readonly Turn[]): number {
  const events = turns.flatMap(({ first, last }) => [
    [first, 1],
    [last, -1],
  ]) as [time: number, change: 1 | -1][]
  // At the same time, what begins counts before what ends.
  events.sort(([a, change], [b, other]) => a - b || other - change)
  let [count, top] = [0, 0]
  for (const [, change] of events) {
    count += change
    top = Math.max(top, count)
  }
  return top
}

/** The milliseconds of a clock that all processes share, and that stands still for nobody. */
export function now(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

function partOf(memory: SharedMemory, slot: number): Float64Array {
  return new Float64Array(memory.buffer, slot * WORDS * 8, WORDS)
}
