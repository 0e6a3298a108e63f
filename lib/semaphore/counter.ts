import { native } from '../addon/native.js'

/** The words of the C library's semaphore. */
const VALUE = 0
const WAITERS = 1

/** The largest value: SEM_VALUE_MAX. */
const VALUE_MAX = 0x7fff_ffff

/** Calls after which a handle is worth a mapping of its own. */
const WORTH_IT = 8

/**
 * The counter of a POSIX semaphore, counted in place as the C library does it: no call, unless somebody waits.
 *
 * Only where the C library's way of counting is known and the runtime allows buffers over shared memory; elsewhere, and
 * for whatever this refuses, there are the native calls. The memory is a mapping of its own, which lives as long as
 * this: there is nothing to close.
 */
export class Counter {
  readonly #handle: number
  #calls = 0
  /** `null` where there are none to be had. */
  #words: Int32Array | null | undefined

  constructor(handle: number) {
    this.#handle = handle
  }

  /** Takes a unit; false where none is there, or where it cannot tell. */
  take(): boolean {
    const words = this.#words === undefined ? this.#begin() : this.#words
    if (words === null) return false
    for (;;) {
      const value = Atomics.load(words, VALUE)
      if (value <= 0) return false
      if (Atomics.compareExchange(words, VALUE, value, value - 1) === value) return true
    }
  }

  /** Adds a unit and wakes one who waits; false where there is no room for it, or where it cannot. */
  give(): boolean {
    const words = this.#words === undefined ? this.#begin() : this.#words
    if (words === null) return false
    for (;;) {
      const value = Atomics.load(words, VALUE)
      if (value < 0 || value === VALUE_MAX) return false
      if (Atomics.compareExchange(words, VALUE, value, value + 1) === value) break
    }
    // Whoever waits said so before it looked at the value for the last time: either it saw the unit, or we see it.
    if (Atomics.load(words, WAITERS) !== 0) native.semaphoreWakeOne(this.#handle)
    return true
  }

  #begin(): Int32Array | null {
    this.#calls += 1
    if (this.#calls <= WORTH_IT) return null
    const buffer = native.semaphoreWords(this.#handle)
    this.#words = buffer === null ? null : new Int32Array(buffer)
    return this.#words
  }
}
