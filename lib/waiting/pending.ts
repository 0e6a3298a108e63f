import { nextWait, type ObservedWait } from '../diagnostics/waits.js'
import { withResolvers } from '../promises.js'
import { clearTimeout, performance, setTimeout } from './clock.js'
import { timeUntil } from './deadline.js'
import { expect, forget, type Waiter } from './settling.js'
import { reasonOf, unlisten } from './signals.js'

/**
 * A wait that has not ended, for a unit or for a lock. There can be many, so one object also holds the data for subscribers.
 *
 * The signal is the program's own code. Wherever it is called it can throw, end this wait at once, or close the semaphore or
 * lock.
 */
export abstract class PendingWait<Outcome> implements Waiter, ObservedWait {
  readonly promise: Promise<Outcome>
  readonly number = nextWait()
  readonly start = performance.now()
  /** Whether it has ended; nothing ends it a second time. */
  ended = false

  protected readonly ticket: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (outcome: Outcome) => void
  readonly #reject: (reason: unknown) => void
  #timer: NodeJS.Timeout | undefined

  constructor(ticket: number, signal: AbortSignal | undefined) {
    const { promise, resolve, reject } = withResolvers<Outcome>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.ticket = ticket
    this.#signal = signal
  }

  /** Whether it keeps the process alive now. */
  protected abstract readonly alive: boolean

  /** The value with which the promise resolves. */
  protected abstract outcome(): Outcome

  /** Tells the addon that the caller does not want the outcome any more. */
  protected abstract withdraw(): void

  /** Tells subscribers that it waits now and can be ended: a subscriber may end it. */
  abstract began(): void

  /** Listens to the signal. If that throws, the listener may stay; it does nothing once this wait has ended. */
  protected listen(): void {
    this.#signal?.addEventListener('abort', this)
  }

  /** The error of a wait that timed out. */
  protected abstract timedOut(): unknown

  /** Ends the wait after so many milliseconds. */
  protected endAfter(timeout: number): void {
    this.#startTimer(performance.now() + timeout)
  }

  // The wait itself keeps the process alive, if it is referenced; its timer never does.
  #startTimer(deadline: number): void {
    this.#timer = setTimeout(() => this.#onTimer(deadline), timeUntil(deadline)).unref()
  }

  #onTimer(deadline: number): void {
    if (this.ended) return
    if (performance.now() < deadline) this.#startTimer(deadline)
    else this.giveUp(this.timedOut())
  }

  /** Registers for the outcome; if that throws, nothing has changed. */
  protected expect(): void {
    expect(this.ticket, this, this.alive)
  }

  /** Unregisters for the outcome; returns false where no outcome was expected. */
  protected forget(): boolean {
    return forget(this.ticket, this.alive)
  }

  /** Handles the `abort` event of the signal. */
  handleEvent(): void {
    this.giveUp(reasonOf(this.#signal))
  }

  /** The unit or lock was granted. */
  grant(): void {
    this.ended = true
    this.forget()
    this.#resolve(this.outcome())
  }

  /** The wait failed. */
  fail(error: unknown): void {
    this.ended = true
    this.forget()
    this.#reject(error)
  }

  succeeded(): void {
    this.letGo()
  }

  failed(_error: unknown): void {
    this.letGo()
  }

  /** Ends the wait for the caller: a grant on its way goes to the next wait. */
  giveUp(reason: unknown): void {
    if (this.ended) return
    this.withdraw()
    this.fail(reason)
    this.failed(reason)
  }

  /** Stops the timer and listening to the signal; to be called only after the end. */
  letGo(): void {
    this.ended = true
    clearTimeout(this.#timer)
    unlisten(this.#signal, this)
  }
}
