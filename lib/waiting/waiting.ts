import { hadNoTime, tookAtOnce, waitBegan, waitFailed, waitSucceeded } from '../diagnostics/semaphores.js'
import { checked, fromNative } from '../errors.js'
import type { Handle } from './handle.js'
import type { WaitLimits } from './options.js'
import { native } from '../addon/native.js'
import { rejected } from '../promises.js'
import { PendingWait } from './pending.js'
import { guardPool } from './pool.js'
import { endAll, reference, tellAll, type Waiter, waiters } from './settling.js'
import { arrive, transit } from './transit.js'

/** A wait for a unit or a permit, or a step of a resizing. */
class Pending extends PendingWait<void> {
  readonly handle: Handle
  /** The number of permits that a resizing is to reach: this is a step of it, which takes nothing for the caller and publishes no event. */
  readonly #to: number | undefined

  constructor(handle: Handle, to: number | undefined, ticket: number, signal: AbortSignal | undefined) {
    super(ticket, signal)
    this.handle = handle
    this.#to = to
  }

  /** Registers for the outcome. If this throws, only the signal's listener remains, which then does nothing. */
  begin(timeout: number | undefined): void {
    this.listen()
    if (timeout !== undefined) this.endAfter(timeout)
    guardPool()
    if (this.ended) return
    if (!this.handle.open) throw this.handle.closedError()
    this.expect()
    this.handle.waits += 1
  }

  protected get alive(): boolean {
    return this.handle.referenced
  }

  protected outcome(): void {}

  protected withdraw(): void {
    checked(native.cancelWait(this.handle.number, this.ticket))
  }

  protected override forget(): boolean {
    const forgotten = super.forget()
    if (forgotten) this.handle.waits -= 1
    return forgotten
  }

  override grant(): void {
    if (this.handle.permit && this.#to === undefined) this.handle.permits += 1
    super.grant()
  }

  began(): void {
    if (this.#to === undefined) waitBegan(this.handle, this)
  }

  override succeeded(): void {
    super.succeeded()
    if (this.#to === undefined) waitSucceeded(this.handle, this)
  }

  override failed(error: unknown): void {
    super.failed(error)
    if (this.#to === undefined) waitFailed(this.handle, this, error)
  }

  protected timedOut(): unknown {
    return this.handle.timedOut(this.#to)
  }
}

/** The number of waits that have a ticket and call the code of their signal now: that code may close the handle. */
let beginning = 0

/**
 * Takes a unit or a permit; or makes a step of a resizing towards `to` permits.
 *
 * @returns `undefined` when it was available, or the resizing is done; otherwise a promise of it.
 */
export function take(handle: Handle, limits: WaitLimits, to?: number): Promise<void> | undefined {
  const { timeout, signal } = limits
  if (signal?.aborted) return rejected(signal.reason)
  if (timeout === 0 && to === undefined) {
    const number = handle.use()
    const taken = handle.permit ? native.limitTryAcquire(number) : native.semaphoreTryWait(number)
    if (taken !== true) {
      checked(taken)
      const error = handle.timedOut()
      hadNoTime(handle, error)
      return rejected(error)
    }
    if (handle.permit) handle.permits += 1
    try {
      tookAtOnce(handle)
      arrive()
    } catch {
      if (transit !== undefined) transit[0] = 0
    } // The stack has no room to tell subscribers. The unit is taken all the same.
    return undefined
  }
  const number = handle.use()
  const ticket =
    to === undefined
      ? native.startWait(number, handle.referenced)
      : native.limitStartResize(number, to, handle.referenced)
  if (ticket === 0) {
    if (to !== undefined) return undefined
    if (handle.permit) handle.permits += 1
    try {
      tookAtOnce(handle)
      arrive()
    } catch {
      if (transit !== undefined) transit[0] = 0
    } // The stack has no room to tell subscribers. The unit is taken all the same.
    return undefined
  }
  if (typeof ticket !== 'number') throw fromNative(ticket)
  let wait: Pending | undefined
  beginning += 1
  try {
    wait = new Pending(handle, to, ticket, signal)
    wait.begin(timeout)
  } catch (error) {
    // The call of the addon comes first: the stack may have no room for a function of this package. A closed handle has no tickets.
    if (handle.open) native.cancelWait(number, ticket)
    if (wait) wait.ended = true
    wait?.letGo()
    throw error
  } finally {
    beginning -= 1
  }
  try {
    wait.began()
  } catch {} // As above.
  return wait.promise
}

/** Closes a handle, and ends all of its waits. */
export function closeHandle(handle: Handle): void {
  if (handle.waits > 0 || beginning > 0) native.cancelWaits(handle.number)
  // The waits end first: if this throws, the handle is still open and can be closed again.
  const ended = handle.waits === 0 ? [] : endAll(ticketsOf(handle), () => handle.closedError())
  handle.close()
  tellAll(ended)
}

function ticketsOf(handle: Handle): number[] {
  const isOfHandle = (wait: Waiter) => wait instanceof Pending && wait.handle === handle
  return [...waiters].filter(([, wait]) => isOfHandle(wait)).map(([ticket]) => ticket)
}

/** Sets whether the waits of a handle keep the process alive. */
export function setReferenced(handle: Handle, alive: boolean): void {
  if (handle.referenced === alive) return
  handle.referenced = alive
  reference(alive ? handle.waits : -handle.waits)
  checked(native.allowPool(handle.number, alive))
}
