import { checked, type Failure, fromNative, IpcError } from '../errors.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { runtime } from '../addon/runtime.js'
import { transit } from './transit.js'

/** A wait for an outcome of the addon. */
export interface Waiter {
  /** What was waited for came. It runs no code of the program, so that outcomes that came together all arrive. */
  grant(): void
  /** It will not come. It runs no code of the program either. */
  fail(error: unknown): void
  /** Called after {@link grant}, when all that came together has been settled. */
  succeeded(): void
  /** Called after {@link fail}, when all that came together has been settled. */
  failed(error: unknown): void
}

/** By ticket, in the order of the tickets: what is not in here gets no outcome. */
export const waiters = new Map<number, Waiter>()

/** How many pending waits keep the process alive. */
let referenced = 0

/** What the addon says when all waits were ended, since the process was about to exit, and went on after all. */
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
 * Settles what the addon has already, without a turn of the event loop.
 *
 * The promise that a grant resolves has its reaction queued here, so the code that waits for it runs before any code that
 * learns of the caller's end. An error is no error of the caller: it is reported as one of the event loop's call would be.
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

/** A wait that failed, and why. */
interface Ended {
  readonly wait: Waiter
  readonly error: unknown
}

/** Ends waits that nothing comes for any more; {@link tellAll} is to follow. */
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
 * All have ended by then: a subscriber that aborts or closes something finds no wait, and no unit, half way.
 */
export function tellAll(ended: readonly Ended[]): void {
  each(ended, ({ wait, error }) => wait.failed(error))
}

/** Calls `act` for every item, also after a call that throws; the first error is thrown at the end. */
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
 * This evaluation of the package: a process can have several, and the addon tells each of its own outcomes.
 *
 * What uses the addon refers to it, so the addon knows by its collection that nobody does any more.
 */
export const evaluation = { settle, session: 0, poolPatience: 0 }
const { session, poolPatience } = checked(native.start(evaluation, settle, runtime, transit))
evaluation.session = session
evaluation.poolPatience = poolPatience

// libuv waits for its pool when the process exits. A worker's own cleanup hooks run, and what they do is enough.
if (isMainThread && !native.listenForExit()) process.prependListener('exit', () => native.beforeExit())

/**
 * Has the outcome of a ticket reported to `waiter`, until it is forgotten; `alive` says whether it keeps the process alive.
 *
 * It calls the addon and what JavaScript has built in, and no function of ours: where the stack is exhausted it throws at its
 * beginning, and then nothing has changed.
 */
export function expect(ticket: number, waiter: Waiter, alive: boolean): void {
  waiters.set(ticket, waiter)
  if (alive) referenced += 1
  if (waiters.size === 1 || (alive && referenced === 1)) {
    native.keep(evaluation.session, true, referenced > 0)
  }
}

/** Nobody waits for this ticket any more; false where nobody did. */
export function forget(ticket: number, alive: boolean): boolean {
  if (!waiters.delete(ticket)) return false
  if (alive) referenced -= 1
  if (waiters.size === 0 || (alive && referenced === 0)) {
    native.keep(evaluation.session, waiters.size > 0, referenced > 0)
  }
  return true
}

/** So many more, or fewer, pending waits keep the process alive. */
export function reference(change: number): void {
  const before = referenced > 0
  referenced += change
  const after = referenced > 0
  if (before !== after) keep()
}

/** Without pending waits, the addon lets this evaluation be collected; with some that are referenced, the process stays. */
function keep(): void {
  checked(native.keep(evaluation.session, waiters.size > 0, referenced > 0))
}
