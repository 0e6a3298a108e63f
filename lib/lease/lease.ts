import { performance } from '../waiting/clock.js'

/** A point in time on both clocks. */
export interface Instant {
  /** The steady clock, which never jumps and stops while the machine sleeps. */
  readonly steady: number
  /** The wall clock, by which the entries in Redis are compared. */
  readonly wall: number
}

export function now(): Instant {
  return { steady: performance.now(), wall: Date.now() }
}

/**
 * The part of its lease for which a permit counts as held. The rest allows for clocks that differ: a clock that is off by
 * more than half of the rest is refused (`server.ts`), so two clocks differ by no more than the whole rest.
 */
const COUNTED = 0.9

/** The time for which this process holds a permit, measured by its own clocks and not by the answers of Redis. */
export class Lease {
  readonly length: number
  #start: Instant
  #over = false

  /** `start` is the time at which the command that took the permit was sent: Redis may have run it at any time since. */
  constructor(length: number, start: Instant) {
    this.length = length
    this.#start = start
  }

  /** The milliseconds that are left. Once it is 0, it stays 0. */
  left(): number {
    if (this.#over) return 0
    // The clock that went further counts. After a sleep that is the wall clock; after the clock was set back, the steady one.
    const steady = performance.now() - this.#start.steady
    const wall = Date.now() - this.#start.wall
    const left = this.length * COUNTED - Math.max(steady, wall)
    if (left > 0) return left
    this.#over = true
    return 0
  }

  /** Extends the lease by a command that was sent at `start`. Returns whether the command came in time. */
  renew(start: Instant): boolean {
    if (this.left() === 0) return false
    this.#start = start
    return this.left() > 0
  }
}
