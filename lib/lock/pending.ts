import { checked } from '../errors.js'
import { requestBegan, requestFailed, requestSucceeded } from '../diagnostics/locks.js'
import type { LockRequest } from './request.js'
import { native } from '../addon/native.js'
import { PendingWait } from '../waiting/pending.js'

/** A request that waits for its lock; its promise is of the handle, once the lock is held. */
export class PendingLock extends PendingWait<number> {
  protected readonly alive = true
  readonly #handle: number
  readonly #request: LockRequest

  constructor(handle: number, ticket: number, request: LockRequest) {
    super(ticket, request.signal)
    this.#handle = handle
    this.#request = request
  }

  /** Has its outcome reported to it. A call that throws leaves nothing but a listener, which does nothing any more. */
  begin(): void {
    this.listen()
    if (!this.ended) this.expect()
  }

  protected outcome(): number {
    return this.#handle
  }

  /** Its end does that. */
  protected withdraw(): void {}

  override fail(error: unknown): void {
    super.fail(error)
    checked(native.lockEnd(this.#handle))
  }

  began(): void {
    requestBegan(this.#request, this)
  }

  override succeeded(): void {
    super.succeeded()
    requestSucceeded(this.#request, this)
  }

  override failed(error: unknown): void {
    super.failed(error)
    requestFailed(this.#request, this, error)
  }
}
