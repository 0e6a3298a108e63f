import { clearTimeout, performance, setTimeout } from './clock.js'
import { timeUntil } from './deadline.js'
import { hadNoTime, ObservedWait, tookAtOnce } from '../diagnostics/semaphores.js'
import { checked, fromNative } from '../errors.js'
import type { Handle } from './handle.js'
import type { WaitLimits } from './options.js'
import { native } from '../addon/native.js'
import { endAll, expect, forget, pool, reference, tellAll, type Waiter, waiters } from './settling.js'
import { reasonOf, unlisten } from './signals.js'
import { arrive, transit } from './transit.js'

/** How long a wait may queue for a thread of the runtime's pool before it gets one of ours. */
const POOL_PATIENCE = 10

/** A wait that has not ended. There can be many, so it is one object with what subscribers hear of it. */
class Pending extends ObservedWait implements Waiter {
  readonly ticket: number
  readonly promise: Promise<void>
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether it is one step of a resizing: it takes nothing, and subscribers hear nothing of it. */
  readonly #isStep: boolean
  /** Nothing ends it any more. */
  ended = false

  constructor(handle: Handle, isStep: boolean, ticket: number, signal: AbortSignal | undefined) {
    super(handle)
    this.#isStep = isStep
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.promise = promise
    this.#resolve = resolve
    this.#reject = reject
    this.ticket = ticket
    this.#signal = signal
  }

  /**
   * Has its outcome reported to it. A call that throws leaves nothing but a listener, which does nothing any more.
   *
   * The signal is the program's own code: it can throw, end this wait at once, or close the handle.
   */
  begin(timeout: number | undefined): void {
    this.#signal?.addEventListener('abort', this)
    if (timeout !== undefined) this.#startTimer(performance.now() + timeout)
    if (pool > 0) guardPool()
    if (this.ended) return
    if (!this.handle.open) throw this.handle.closedError()
    expect(this.ticket, this, this.handle.referenced)
    this.handle.waits += 1
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    this.giveUp(reasonOf(this.#signal))
  }

  /** The unit came. */
  grant(): void {
    this.#end()
    if (this.handle.permit && !this.#isStep) this.handle.permits += 1
    this.#resolve()
  }

  /** The wait failed. */
  fail(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  override began(): void {
    if (!this.#isStep) super.began()
  }

  override succeeded(): void {
    this.letGo()
    if (!this.#isStep) super.succeeded()
  }

  override failed(error: unknown): void {
    this.letGo()
    if (!this.#isStep) super.failed(error)
  }

  /** The caller does not want the unit any more: one that is on its way goes to the next wait. */
  giveUp(reason: unknown): void {
    if (this.ended) return
    checked(native.cancelWait(this.handle.number, this.ticket))
    this.fail(reason)
    this.failed(reason)
  }

  /** Leaves the signal and the timer: only after its end, since the signal is the program's own code. */
  letGo(): void {
    this.ended = true
    clearTimeout(this.#timer)
    unlisten(this.#signal, this)
  }

  // The wait itself keeps the process alive, where it is meant to; its timer never does.
  #startTimer(deadline: number): void {
    this.#timer = setTimeout(() => this.#onTimer(deadline), timeUntil(deadline)).unref()
  }

  #onTimer(deadline: number): void {
    if (this.ended) return
    if (performance.now() < deadline) this.#startTimer(deadline)
    else this.giveUp(this.handle.timedOut())
  }

  #end(): void {
    this.ended = true
    if (forget(this.ticket, this.handle.referenced)) this.handle.waits -= 1
  }
}

/** How many waits have a ticket and call the code of their signal now: it may close the handle. */
let beginning = 0

let poolGuard: NodeJS.Timeout | undefined

/**
 * Takes a unit for good, or a permit; or takes a step of a resizing `to` so many permits.
 *
 * @returns `undefined` when it was there, or the resizing is done; else a promise of it.
 */
export function take(handle: Handle, limits: WaitLimits, to?: number): Promise<void> | undefined {
  const { timeout, signal } = limits
  if (signal?.aborted) return Promise.reject(signal.reason)
  if (timeout === 0 && to === undefined) {
    const number = handle.use()
    const taken = handle.permit ? native.limitTryAcquire(number) : native.semaphoreTryWait(number)
    if (taken !== true) {
      checked(taken)
      const error = handle.timedOut()
      hadNoTime(handle, error)
      return Promise.reject(error)
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
    wait = new Pending(handle, to !== undefined, ticket, signal)
    wait.begin(timeout)
  } catch (error) {
    // The addon comes first: the stack may have no room for a function of ours. A closed handle has no tickets.
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

/** Closes a handle, and ends every wait of it. */
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

/** Says whether the waits of a handle keep the process alive. */
export function setReferenced(handle: Handle, alive: boolean): void {
  if (handle.referenced === alive) return
  handle.referenced = alive
  reference(alive ? handle.waits : -handle.waits)
  if (pool > 0) checked(native.allowPool(handle.number, alive))
}

/** A pool that is busy with other things for long must not hold up a wait that it was given. */
function guardPool(): void {
  if (poolGuard !== undefined) return
  poolGuard = setTimeout(() => {
    poolGuard = undefined
    native.leavePoolQueue()
  }, POOL_PATIENCE).unref()
}
