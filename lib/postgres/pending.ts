import { timeUntil } from '../waiting/deadline.js'
import type { LockMode } from '../lock/types.js'
import type { Grant } from './grant.js'

/** A request, in the form that its queue needs. */
export interface Wanted {
  readonly mode: LockMode
  readonly ifAvailable: boolean
  readonly signal: AbortSignal | undefined
  readonly timeout: number | undefined
}

/** A request that has no answer yet. */
export class Pending {
  readonly mode: LockMode
  readonly ifAvailable: boolean
  readonly outer: Grant | undefined
  readonly order: number
  /** `undefined` is the answer to a request that does not wait. */
  readonly granted: Promise<Grant | undefined>
  readonly #signal: AbortSignal | undefined
  readonly #onEnd: (pending: Pending) => void
  #resolve!: (grant: Grant | undefined) => void
  #reject!: (reason: unknown) => void
  #timer: NodeJS.Timeout | undefined

  constructor(
    { mode, ifAvailable, signal, timeout }: Wanted,
    order: number,
    outer: Grant | undefined,
    onEnd: (pending: Pending) => void,
    timeoutError: () => unknown,
  ) {
    this.mode = mode
    this.ifAvailable = ifAvailable
    this.order = order
    this.outer = outer
    this.#onEnd = onEnd
    this.granted = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#signal = signal
    signal?.addEventListener('abort', this)
    if (timeout !== undefined) this.#endAt(performance.now() + timeout, timeoutError)
  }

  /** Handles the `abort` event of the signal. */
  handleEvent(): void {
    this.fail(this.#signal?.reason)
  }

  answer(grant: Grant | undefined): void {
    this.#end()
    this.#resolve(grant)
  }

  fail(reason: unknown): void {
    this.#end()
    this.#reject(reason)
  }

  #endAt(deadline: number, error: () => unknown): void {
    const ring = () => (performance.now() < deadline ? this.#endAt(deadline, error) : this.fail(error()))
    this.#timer = setTimeout(ring, timeUntil(deadline))
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this)
    clearTimeout(this.#timer)
    this.#onEnd(this)
  }
}

/** The grants around a request that still hold their locks, the innermost first. */
export function* enclosing(outer: Grant | undefined): Generator<Grant> {
  for (let grant = outer; grant !== undefined; grant = grant.outer) if (grant.isHeld) yield grant
}
