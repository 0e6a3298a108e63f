import { checked } from '../errors.js'
import { ObservedLockWait } from '../diagnostics/locks.js'
import type { LockRequest } from './request.js'
import { native } from '../addon/native.js'
import { expect, forget, type Waiter } from '../waiting/settling.js'
import { reasonOf, unlisten } from '../waiting/signals.js'

/** A request that waits for its lock; it keeps the process alive. */
export class PendingLock extends ObservedLockWait implements Waiter {
  /** The request's handle, once the lock is held. */
  readonly granted: Promise<number>

  readonly #handle: number
  readonly #ticket: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (handle: number) => void
  readonly #reject: (reason: unknown) => void
  /** Nothing ends it any more. */
  ended = false

  constructor(handle: number, ticket: number, request: LockRequest) {
    super(request)
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.granted = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#handle = handle
    this.#ticket = ticket
    this.#signal = request.signal
  }

  /**
   * Has its outcome reported to it. A call that throws leaves nothing but a listener, which does nothing any more.
   *
   * The signal is the program's own code: it can throw, or end this wait at once.
   */
  begin(): void {
    this.#signal?.addEventListener('abort', this)
    if (this.ended) return
    expect(this.#ticket, this, true)
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    if (this.ended) return
    const reason = reasonOf(this.#signal)
    this.fail(reason)
    this.failed(reason)
  }

  grant(): void {
    this.#end()
    this.#resolve(this.#handle)
  }

  fail(error: unknown): void {
    this.#end()
    this.#reject(error)
    checked(native.lockEnd(this.#handle))
  }

  override succeeded(): void {
    this.letGo()
    super.succeeded()
  }

  override failed(error: unknown): void {
    this.letGo()
    super.failed(error)
  }

  /** Leaves the signal: only after its end, since the signal is the program's own code. */
  letGo(): void {
    this.ended = true
    unlisten(this.#signal, this)
  }

  #end(): void {
    this.ended = true
    forget(this.#ticket, true)
  }
}
