import { performance } from './clock.js'

/** The longest time that a timer of Node takes; a longer wait is several of them. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Milliseconds for a timer that is to ring at `deadline`, a time of `performance.now()`.
 *
 * It can ring before that, and is set again then: a timer counts whole milliseconds and can be early, and it takes no longer
 * time than 24 days.
 */
export function timeUntil(deadline: number): number {
  return Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), LONGEST_TIMER)
}
