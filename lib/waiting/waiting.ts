import { constants } from 'node:os'

import { clearTimeout, performance, setTimeout } from './clock.js'
import { timeUntil } from './deadline.js'
import { hadNoTime, ObservedWait, tookAtOnce } from '../diagnostics/semaphores.js'
import { checked, IpcError } from '../errors.js'
import type { Handle } from '../semaphore/handle.js'
import { native } from '../addon/native.js'
import { arrive } from './transit.js'
import { expect, failAll, forget, pool, reference, type Waiter, waiting } from './settling.js'

/** What ends a wait besides its unit. */
export interface WaitLimits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

/** How long a wait may queue for a thread of the runtime's pool before it gets one of ours. */
const POOL_PATIENCE = 10

/** A wait that has not ended. There can be many, so it is one object with what subscribers hear of it. */
class Pending extends ObservedWait implements Waiter {
  readonly ticket: number
  readonly #resolve: () => void
  readonly #reject: (reason: unknown) => void
  readonly #signal: AbortSignal | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    handle: Handle,
    permit: boolean,
    ticket: number,
    { timeout, signal }: WaitLimits,
    resolve: () => void,
    reject: (reason: unknown) => void,
  ) {
    super(handle, permit)
    this.ticket = ticket
    this.#resolve = resolve
    this.#reject = reject
    this.#signal = signal
    signal?.addEventListener('abort', this)
    if (timeout !== undefined) this.#startTimer(performance.now() + timeout)
  }

  /** The signal's `abort`. */
  handleEvent(): void {
    this.giveUp(this.#signal?.reason)
  }

  /** The unit came. */
  grant(): void {
    this.#end()
    this.#resolve()
  }

  /** The wait failed. */
  fail(error: unknown): void {
    this.#end()
    this.#reject(error)
  }

  /** Nobody wants the unit any more: one that is on its way goes to the next. */
  giveUp(reason: unknown): void {
    checked(native.cancelWait(this.handle.number, this.ticket))
    this.fail(reason)
    this.failed(reason)
  }

  // The wait itself keeps the process alive, where it is meant to; its timer never does.
  #startTimer(deadline: number): void {
    this.#timer = setTimeout(() => this.#onTimer(deadline), timeUntil(deadline)).unref()
  }

  #onTimer(deadline: number): void {
    if (performance.now() < deadline) this.#startTimer(deadline)
    else this.giveUp(timedOut(this.handle))
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this)
    clearTimeout(this.#timer)
    forget(this.ticket)
    this.handle.waits -= 1
    if (this.handle.referenced) reference(-1)
  }
}

let poolGuard: NodeJS.Timeout | undefined

/**
 * Takes a unit, as a permit or for good.
 *
 * @returns `undefined` when it was there, else a promise of it.
 */
export function take(handle: Handle, permit: boolean, limits: WaitLimits): Promise<void> | undefined {
  const { timeout, signal } = limits
  if (signal?.aborted) return Promise.reject(signal.reason)
  if (timeout === 0) {
    const number = handle.use()
    const taken = permit ? native.semaphoreTryAcquire(number) : native.semaphoreTryWait(number)
    if (taken !== true && !checked(taken)) {
      const error = timedOut(handle)
      hadNoTime(handle, permit, error)
      return Promise.reject(error)
    }
    tookAtOnce(handle, permit)
    arrive()
    return undefined
  }
  const answer = native.startWait(handle.use(), permit, handle.referenced)
  if (answer === 0) {
    tookAtOnce(handle, permit)
    arrive()
    return undefined
  }
  const ticket = checked(answer)
  return new Promise((resolve, reject) => {
    const wait = new Pending(handle, permit, ticket, limits, resolve, reject)
    expect(ticket, wait)
    handle.waits += 1
    if (handle.referenced) reference(+1)
    if (pool > 0) guardPool()
    wait.began()
  })
}

/** Closes a handle, and ends every wait of it. */
export function closeHandle(handle: Handle): void {
  const tickets = handle.waits === 0 ? [] : ticketsOf(handle)
  if (tickets.length > 0) checked(native.cancelWaits(handle.number))
  handle.close()
  failAll(tickets, () => handle.closedError())
}

function ticketsOf(handle: Handle): number[] {
  const isOfHandle = (wait: Waiter) => wait instanceof Pending && wait.handle === handle
  return [...waiting()].filter(([, wait]) => isOfHandle(wait)).map(([ticket]) => ticket)
}

/** Says whether the waits of a handle keep the process alive. */
export function setReferenced(handle: Handle, alive: boolean): void {
  if (handle.referenced === alive) return
  handle.referenced = alive
  reference(alive ? handle.waits : -handle.waits)
  if (pool > 0) checked(native.allowPool(handle.number, alive))
}

/** A wait's time is over. */
export function timedOut(handle: Handle): IpcError {
  return new IpcError('ETIMEDOUT', `no unit of the semaphore ${handle.label} came in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: 'no unit was free in that time: `os-ipc show` and info() tell who waits, and who used it last',
  })
}

/** A pool that is busy with other things for long must not hold up a wait that it was given. */
function guardPool(): void {
  if (poolGuard !== undefined) return
  poolGuard = setTimeout(() => {
    poolGuard = undefined
    native.leavePoolQueue()
  }, POOL_PATIENCE).unref()
}
