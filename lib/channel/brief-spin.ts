import { native } from '../addon/native.js'
import { evaluation } from '../waiting/settling.js'

/** The most waits without a spin after a spin that found nothing. */
const MOST_SKIPPED = 16

/**
 * The spin of a receiver before it sleeps: a message that comes within microseconds wakes nobody, and needs no turn of the
 * event loop. The spin blocks the thread, so it is short; and it is rare where it finds nothing.
 */
export class BriefSpin {
  readonly #memory: number
  /** How many of the next waits do not spin. */
  #skips = 0
  /** That number after the next spin that finds nothing. */
  #penalty = 1

  constructor(memory: number) {
    this.#memory = memory
  }

  /** Spins; whether a message came. */
  finds(): boolean {
    if (this.#skips > 0) {
      this.#skips -= 1
      return false
    }
    const found = native.channelSpin(evaluation.session, this.#memory) === true
    if (found) {
      this.#penalty = 1
      return true
    }
    this.#skips = this.#penalty
    this.#penalty = Math.min(this.#penalty * 2, MOST_SKIPPED)
    return false
  }
}
