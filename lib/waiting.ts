import { constants } from 'node:os'

import { hadNoTime, ObservedWait, tookAtOnce } from './diagnostics.js'
import { fromNative, IpcError } from './errors.js'
import type { Handle } from './handle.js'
import { isMainThread } from './main-thread.js'
import { native } from './native.js'
import { poolThreads } from './pool.js'

/** What ends a wait besides its unit. */
export interface WaitLimits {
  timeout: number | undefined
  signal: AbortSignal | undefined
}

/** The longest time that a timer of Node takes; a longer wait is several of them. */
const LONGEST_TIMER = 2 ** 31 - 1

/** How long a wait may queue for a thread of the runtime's pool before it gets one of ours. */
const POOL_PATIENCE = 10

/** A wait that has not ended. There can be many, so it is one object with what subscribers hear of it. */
class Pending extends ObservedWait {
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
    native.cancelWait(this.handle.number, this.ticket)
    this.fail(reason)
    this.failed(reason)
  }

  // The wait itself keeps the process alive, where it is meant to; its timer never does.
  #startTimer(deadline: number): void {
    const left = Math.min(Math.max(Math.ceil(deadline - performance.now()), 1), LONGEST_TIMER)
    this.#timer = setTimeout(() => this.#onTimer(deadline), left).unref()
  }

  #onTimer(deadline: number): void {
    // A timer counts whole milliseconds and can be early.
    if (performance.now() < deadline) this.#startTimer(deadline)
    else this.giveUp(timedOut(this.handle))
  }

  #end(): void {
    this.#signal?.removeEventListener('abort', this)
    clearTimeout(this.#timer)
    pending.delete(this.ticket)
    this.handle.waits -= 1
    if (this.handle.referenced) reference(-1)
  }
}

const pending = new Map<number, Pending>()

/** How many pending waits keep the process alive. */
let referenced = 0

const pool = poolThreads()
let poolGuard: NodeJS.Timeout | undefined

/** Runs when the addon has outcomes. */
function settle(): void {
  const settled = native.collectSettled()
  if (typeof settled === 'number') {
    const wait = pending.get(settled)
    wait?.grant()
    wait?.succeeded()
    return
  }
  const { granted, failed, errors } = settled
  const won = granted.flatMap(ticket => pending.get(ticket) ?? [])
  for (const wait of won) wait.grant()
  failAll(failed, index => errors[index])
  for (const wait of won) wait.succeeded()
}

/**
 * Ends waits that nothing comes for any more.
 *
 * Subscribers are told when all have ended: one that aborts or closes something then finds no wait, and no unit, half way.
 */
function failAll(tickets: readonly number[], errorOf: (index: number) => unknown): void {
  const ended: { wait: Pending; error: unknown }[] = []
  for (const [index, ticket] of tickets.entries()) {
    const wait = pending.get(ticket)
    if (wait === undefined) continue
    const error = errorOf(index)
    wait.fail(error)
    ended.push({ wait, error })
  }
  for (const { wait, error } of ended) wait.failed(error)
}

native.start(fromNative, settle, pool)

// libuv waits for its pool when the process exits, and no cleanup hook runs then; this does, also after an uncaught
// error. It goes first: a listener that throws ends the round. A worker's own hooks do run, and what they do is enough.
if (isMainThread) {
  process.prependListener('exit', () => {
    native.beforeExit()
    // Only where this was no exit after all does anybody hear of it: here a rejection would end the process as an error.
    setImmediate(() => {
      failAll([...pending.keys()], () => new IpcError('ERR_CLOSED', 'the process is about to exit'))
    }).unref()
  })
}

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
    if (!taken) {
      const error = timedOut(handle)
      hadNoTime(handle, permit, error)
      return Promise.reject(error)
    }
    tookAtOnce(handle, permit)
    return undefined
  }
  const ticket = native.startWait(handle.use(), permit, pool > 0 && handle.referenced)
  if (ticket === 0) {
    tookAtOnce(handle, permit)
    return undefined
  }
  return new Promise((resolve, reject) => {
    const wait = new Pending(handle, permit, ticket, limits, resolve, reject)
    pending.set(ticket, wait)
    handle.waits += 1
    if (handle.referenced) reference(+1)
    if (pool > 0) guardPool()
    wait.began()
  })
}

/** Closes a handle, and ends every wait of it. */
export function closeHandle(handle: Handle): void {
  const tickets = handle.waits === 0 ? [] : ticketsOf(handle)
  if (tickets.length > 0) native.cancelWaits(handle.number)
  handle.close()
  failAll(tickets, () => handle.closedError())
}

function ticketsOf(handle: Handle): number[] {
  return [...pending.values()].filter(wait => wait.handle === handle).map(wait => wait.ticket)
}

/** Says whether the waits of a handle keep the process alive. */
export function setReferenced(handle: Handle, alive: boolean): void {
  if (handle.referenced === alive) return
  handle.referenced = alive
  reference(alive ? handle.waits : -handle.waits)
  if (pool > 0) native.allowPool(handle.number, alive)
}

/** A wait's time is over. */
export function timedOut(handle: Handle): IpcError {
  return new IpcError('ETIMEDOUT', `no unit of the semaphore ${handle.label} came in time`, {
    errno: -constants.errno.ETIMEDOUT,
  })
}

function reference(change: number): void {
  const before = referenced > 0
  referenced += change
  const after = referenced > 0
  if (before !== after) native.keepAlive(after)
}

/** A pool that is busy with other things for long must not hold up a wait that it was given. */
function guardPool(): void {
  if (poolGuard !== undefined) return
  poolGuard = setTimeout(() => {
    poolGuard = undefined
    native.leavePoolQueue()
  }, POOL_PATIENCE).unref()
}
