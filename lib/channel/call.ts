import { constants } from 'node:os'

import { IpcError } from '../errors.js'
import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { timeUntil } from '../waiting/deadline.js'
import type { WaitLimits } from '../waiting/options.js'
import { reasonOf, unlisten } from '../waiting/signals.js'
import { withResolvers } from '../promises.js'
import type { Line } from './line.js'

/** The result of an attempt that cannot succeed now. */
export const LATER: unique symbol = Symbol('later')

/** A message counts as one call, and as one more for every 4 KiB, before the event loop gets a turn. */
export const CREDIT_SHIFT = 12

/** A send or a receive that could not be done at once, in the line of its side. */
export class Call<T> {
  readonly promise: Promise<T>
  ended = false
  /** Whether an attempt runs. It can run code of the program, which can end this call. */
  trying = false

  readonly #line: Line
  readonly #attempt: () => T | typeof LATER
  readonly #resolve: (value: T) => void
  readonly #reject: (error: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(line: Line, attempt: () => T | typeof LATER, { timeout, signal }: WaitLimits) {
    const { promise, resolve, reject } = withResolvers<T>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#line = line
    this.#attempt = attempt
    this.#signal = signal
    signal?.addEventListener('abort', this)
    if (timeout !== undefined) this.#startTimer(performance.now() + timeout)
  }

  /** Tries once; false if the call must keep waiting. One that its own attempt ended waits no more. */
  settle(): boolean {
    if (this.ended) return true
    this.trying = true
    try {
      const outcome = this.#attempt()
      if (outcome === LATER) return this.ended
      this.#letGo()
      this.#resolve(outcome)
    } catch (error) {
      this.fail(error)
    } finally {
      this.trying = false
    }
    return true
  }

  fail(error: unknown): void {
    this.#letGo()
    this.#reject(error)
  }

  /** Handles the `abort` event of the signal. */
  handleEvent(): void {
    this.#giveUp(reasonOf(this.#signal))
  }

  #giveUp(reason: unknown): void {
    if (this.ended) return
    this.fail(reason)
    this.#line.leave(this)
  }

  #letGo(): void {
    this.ended = true
    clearTimeout(this.#timer)
    unlisten(this.#signal, this)
  }

  // The wait itself keeps the process alive, if it is referenced; its timer never does.
  #startTimer(deadline: number): void {
    this.#timer = setTimeout(() => this.#onTimer(deadline), timeUntil(deadline)).unref()
  }

  #onTimer(deadline: number): void {
    if (this.ended) return
    if (performance.now() < deadline) {
      this.#startTimer(deadline)
      return
    }
    // It may have waited for its turn alone, and for nothing else.
    this.#line.takeTurn()
    if (!this.ended) this.#giveUp(this.#line.timedOut())
  }
}

/** The error of a call that had no time left. */
export function channelTimedOut(message: string, hint: string): IpcError {
  return new IpcError('ETIMEDOUT', message, { errno: -constants.errno.ETIMEDOUT, hint })
}
