import { nextWait, type ObservedWait } from '../diagnostics/waits.js'
import { performance } from './clock.js'
import { expect, forget, type Waiter } from './settling.js'
import { reasonOf, unlisten } from './signals.js'

/**
 * A wait that has not ended: for a unit, or for a lock. There can be many, so it is one object with what subscribers hear of it.
 *
 * The signal is the program's own code: wherever it is called it can throw, end this wait at once, or close what is waited for.
 */
export abstract class PendingWait<Outcome> implements Waiter, ObservedWait {
  readonly promise: Promise<Outcome>
  readonly number = nextWait()
  readonly start = performance.now()
  /** Nothing ends it any more. */
  ended = false

  protected readonly ticket: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (outcome: Outcome) => void
  readonly #reject: (reason: unknown) => void

  constructor(ticket: number, signal: AbortSignal | undefined) {
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.ticket = ticket
    this.#signal = signal
  }

  /** Whether it keeps the process alive now. */
  protected abstract readonly alive: boolean

  /** What the promise resolves with. */
  protected abstract outcome(): Outcome

  /** Tells the addon that nobody wants it any more. */
  protected abstract withdraw(): void

  /** Tells subscribers that it waits now, and can be ended: a subscriber may do so. */
  abstract began(): void

  /** Listens to the signal. If it throws, the listener may stay; it does nothing any more once this has ended. */
  protected listen(): void {
    this.#signal?.addEventListener('abort', this)
  }

  /** Has the outcome reported to it; if it throws, nothing has changed. */
  protected expect(): void {
    expect(this.ticket, this, this.alive)
  }

  /** Nothing is reported to it any more; false where nothing was to be. */
  protected forget(): boolean {
    return forget(this.ticket, this.alive)
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    this.giveUp(reasonOf(this.#signal))
  }

  /** What was waited for came. */
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

  /** The caller does not want it any more: what is on its way goes to the next wait. */
  giveUp(reason: unknown): void {
    if (this.ended) return
    this.withdraw()
    this.fail(reason)
    this.failed(reason)
  }

  /** Leaves the signal: only after its end. */
  letGo(): void {
    this.ended = true
    unlisten(this.#signal, this)
  }
}
