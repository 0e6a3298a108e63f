import { checked } from '../errors.js'
import { requestBegan, requestFailed, requestSucceeded } from '../diagnostics/locks.js'
import type { LockRequest } from './request.js'
import { native } from '../addon/native.js'
import { PendingWait } from '../waiting/pending.js'

/** A request that waits for its lock. Its promise resolves with the handle once the lock is held. */
export class PendingLock extends PendingWait<number> {
  protected readonly alive = true
  readonly #handle: number
  readonly #request: LockRequest
  readonly #timedOut: () => unknown

  constructor(handle: number, ticket: number, request: LockRequest, timedOut: () => unknown) {
    super(ticket, request.signal)
    this.#handle = handle
    this.#request = request
    this.#timedOut = timedOut
  }

  /** Registers for the outcome. If this throws, only the signal's listener remains, which then does nothing. */
  begin(): void {
    this.listen()
    if (this.#request.timeout !== undefined) this.endAfter(this.#request.timeout)
    if (!this.ended) this.expect()
  }

  protected timedOut(): unknown {
    return this.#timedOut()
  }

  protected outcome(): number {
    return this.#handle
  }

  /** Nothing to do: the end of the request withdraws it. */
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
