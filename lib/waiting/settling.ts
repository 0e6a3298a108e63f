import { checked, type Failure, fromNative, IpcError } from '../errors.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { runtime } from '../addon/runtime.js'
import { transit } from './transit.js'

/** A wait for an outcome of the addon. */
export interface Waiter {
  /** The unit or lock was granted. This runs no code of the program, so that outcomes that came together all arrive. */
  grant(): void
  /** The wait failed. This runs no code of the program either. */
  fail(error: unknown): void
  /** Called after {@link grant}, when all outcomes that came together are settled. */
  succeeded(): void
  /** Called after {@link fail}, when all outcomes that came together are settled. */
  failed(error: unknown): void
}

/** The waiters by ticket, in the order of the tickets. A ticket that is not in here gets no outcome. */
export const waiters = new Map<number, Waiter>()

/** The number of pending waits that keep the process alive. */
let referenced = 0

/** The addon's answer when all waits were ended because the process was about to exit, and the process went on. */
const LEFT = -1

/** Runs when the addon has outcomes. */
function settle(): void {
  const settled = checked(native.collectSettled(evaluation.session))
  if (settled === LEFT) {
    tellAll(endAll([...waiters.keys()], () => new IpcError('ERR_CLOSED', 'the process is about to exit')))
    return
  }
  if (typeof settled === 'number') {
    const wait = waiters.get(settled)
    wait?.grant()
    wait?.succeeded()
    return
  }
  const { granted, failed, errors } = settled
  const won = granted.flatMap(ticket => waiters.get(ticket) ?? [])
  for (const wait of won) wait.grant()
  const lost = endAll(failed, index => fromNative(errors[index] as Failure))
  each(won, wait => wait.succeeded())
  tellAll(lost)
}

/**
 * Settles the outcomes that the addon has now, without a turn of the event loop.
 *
 * The reaction of a promise that a grant resolves is queued here, so the code that waits for it runs before any code that
 * learns of the caller's end. An error does not reach the caller: it is reported like an error of the event loop's call.
 */
export function settleNow(): void {
  if (waiters.size === 0) return
  try {
    settle()
  } catch (error) {
    queueMicrotask(() => {
      throw error
    })
  }
}

/** A wait that failed, and its error. */
interface Ended {
  readonly wait: Waiter
  readonly error: unknown
}

/** Ends waits that can get no outcome any more; the caller calls {@link tellAll} next. */
export function endAll(tickets: readonly number[], errorOf: (index: number) => unknown): Ended[] {
  const ended: Ended[] = []
  for (const [index, ticket] of tickets.entries()) {
    const wait = waiters.get(ticket)
    if (wait === undefined) continue
    const error = errorOf(index)
    wait.fail(error)
    ended.push({ wait, error })
  }
  return ended
}

/**
 * Tells subscribers of waits that ended.
 *
 * All these waits have ended before: a subscriber that aborts or closes something finds no wait, and no unit, half done.
 */
export function tellAll(ended: readonly Ended[]): void {
  each(ended, ({ wait, error }) => wait.failed(error))
}

/** Calls `act` for every item, also after a call that throws; throws the first error at the end. */
function each<T>(items: readonly T[], act: (item: T) => void): void {
  const errors: unknown[] = []
  for (const item of items) {
    try {
      act(item)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

/**
 * This evaluation of the package: a process can have several, and the addon reports to each its own outcomes.
 *
 * The code that uses the addon refers to this object. When it is collected, the addon knows that the evaluation is unused.
 */
export const evaluation = { settle, session: 0, poolPatience: 0 }
const { session, poolPatience } = checked(native.start(evaluation, settle, runtime, transit))
evaluation.session = session
evaluation.poolPatience = poolPatience

// libuv waits for its pool when the process exits. A worker's own cleanup hooks run, and what they do is enough.
if (isMainThread && !native.listenForExit()) process.prependListener('exit', () => native.beforeExit())

/**
 * Registers `waiter` for the outcome of a ticket, until it is forgotten. With `alive` it keeps the process alive.
 *
 * It calls only the addon and JavaScript's built-in functions, none of this package. So where the stack is exhausted it
 * throws at its beginning, and nothing has changed.
 */
export function expect(ticket: number, waiter: Waiter, alive: boolean): void {
  waiters.set(ticket, waiter)
  if (alive) referenced += 1
  if (waiters.size === 1 || (alive && referenced === 1)) {
    native.keep(evaluation.session, true, referenced > 0)
  }
}

/** Drops the waiter of this ticket; returns false where there was none. */
export function forget(ticket: number, alive: boolean): boolean {
  if (!waiters.delete(ticket)) return false
  if (alive) referenced -= 1
  if (waiters.size === 0 || (alive && referenced === 0)) {
    native.keep(evaluation.session, waiters.size > 0, referenced > 0)
  }
  return true
}

/** Changes the number of pending waits that keep the process alive. */
export function reference(change: number): void {
  const before = referenced > 0
  referenced += change
  const after = referenced > 0
  if (before !== after) keep()
}

/** Without pending waits, the addon allows this evaluation to be collected; with referenced ones, the process stays alive. */
function keep(): void {
  checked(native.keep(evaluation.session, waiters.size > 0, referenced > 0))
}
