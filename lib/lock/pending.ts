import { ObservedLockWait } from '../diagnostics/locks.js'
import type { LockRequest } from './request.js'
import { native } from '../addon/native.js'
import { reasonOf } from '../options.js'
import { reference, type Waiter, waiters } from '../waiting/settling.js'

/** A request that waits for its lock; it keeps the process alive. */
export class PendingLock extends ObservedLockWait implements Waiter {
  /** The request's handle, once the lock is held. */
  readonly granted: Promise<number>

  readonly #handle: number
  readonly #ticket: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (handle: number) => void
  readonly #reject: (reason: unknown) => void
  #ended = false

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
    if (this.#ended) return
    reference(+1)
    // No function of ours is called from here on, so nothing throws.
    waiters.set(this.#ticket, this)
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    if (this.#ended) return
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
    native.lockEnd(this.#handle)
  }

  override succeeded(): void {
    this.letGo()
    super.succeeded()
  }

  override failed(error: unknown): void {
    this.letGo()
    super.failed(error)
  }

  /** Leaves the signal. It may be the program's own, so a failure of it changes nothing. */
  letGo(): void {
    this.#ended = true
    try {
      this.#signal?.removeEventListener('abort', this)
    } catch {}
  }

  #end(): void {
    this.#ended = true
    if (waiters.delete(this.#ticket)) reference(-1)
  }
}
