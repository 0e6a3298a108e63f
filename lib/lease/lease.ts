import { performance } from '../waiting/clock.js'

/** A point in time on both clocks. */
export interface Instant {
  /** Of the clock that never jumps, and that stands still while the machine sleeps. */
  readonly steady: number
  /** Of the clock on the wall, which Redis's entries are compared by. */
  readonly wall: number
}

export function now(): Instant {
  return { steady: performance.now(), wall: Date.now() }
}

/**
 * Which part of its lease a permit counts as held. The rest is for clocks that differ: nobody's is off by more than half
 * of the rest (`server.ts`), so two differ by no more than all of it.
 */
const COUNTED = 0.9

/** How long a permit is ours, by our own clocks: whatever Redis answers, or does not. */
export class Lease {
  readonly length: number
  #start: Instant
  #over = false

  /** `start` is when the command was sent that took the permit: Redis may have done it at any time since. */
  constructor(length: number, start: Instant) {
    this.length = length
    this.#start = start
  }

  /** Milliseconds that are left; 0 when it is over, and for ever after that. */
  left(): number {
    if (this.#over) return 0
    // Whichever clock went further: a machine that slept finds that out by the wall, one whose clock was set back does not.
    const steady = performance.now() - this.#start.steady
    const wall = Date.now() - this.#start.wall
    const left = this.length * COUNTED - Math.max(steady, wall)
    if (left > 0) return left
    this.#over = true
    return 0
  }

  /** It was kept by a command that was sent at `start`. Answers whether that came in time. */
  renew(start: Instant): boolean {
    if (this.left() === 0) return false
    this.#start = start
    return this.left() > 0
  }
}
