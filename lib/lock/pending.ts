import { ObservedLockWait } from '../diagnostics/locks.js'
import type { LockRequest } from './request.js'
import { native } from '../addon/native.js'
import { expect, forget, reference, type Waiter } from '../waiting/settling.js'

/** A request that waits for its lock; it keeps the process alive. */
export class PendingLock extends ObservedLockWait implements Waiter {
  /** The request's handle, once the lock is held. */
  readonly granted: Promise<number>

  readonly #handle: number
  readonly #ticket: number
  readonly #signal: AbortSignal | undefined
  readonly #resolve: (handle: number) => void
  readonly #reject: (reason: unknown) => void

  constructor(handle: number, ticket: number, request: LockRequest) {
    super(request)
    const { signal } = request
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    this.granted = promise
    this.#resolve = resolve
    this.#reject = reject
    this.#handle = handle
    this.#ticket = ticket
    this.#signal = signal
    signal?.addEventListener('abort', this)
    expect(ticket, this)
    reference(+1)
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    const reason: unknown = this.#signal?.reason
    this.fail(reason)
    this.failed(reason)
  }

  grant(): void {
    this.#end()
    this.#resolve(this.#handle)
  }

  fail(error: unknown): void {
    this.#end()
    native.lockEnd(this.#handle)
    this.#reject(error)
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this)
    forget(this.#ticket)
    reference(-1)
  }
}
