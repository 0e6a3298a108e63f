import { performance } from './clock.js'

/** The longest delay of a timer of Node, in milliseconds (24.8 days); a longer wait uses several timers. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * The milliseconds for a timer that fires at `deadline`, a time of `performance.now()`.
 *
 * The timer can fire before the deadline, and is then set again: a timer counts whole milliseconds, can be early, and has a
 * longest delay of 24 days.
 */
export function timeUntil(deadline: number): number {
  return Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), LONGEST_TIMER)
}
