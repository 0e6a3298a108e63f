import { checked, type Failure, fromNative, IpcError } from '../errors.js'
import { hasOwnLibuv } from './event-loop.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { poolThreads } from './pool.js'
import { transit } from './transit.js'

/** Somebody who waits for an outcome of the addon. */
export interface Waiter {
  /** What was waited for came. */
  grant(): void
  /** It will not come. */
  fail(error: unknown): void
  /** Called after {@link grant}, when all that came together has been settled. */
  succeeded?(): void
  /** Called after {@link fail}, when all that came together has been settled. */
  failed?(error: unknown): void
}

/** By ticket. */
const waiters = new Map<number, Waiter>()

/** How many pending waits keep the process alive. */
let referenced = 0

/** How many threads of the runtime's pool there are for this thread's waits. */
export const pool = poolThreads()

/** What the addon says when all waits were ended, since the process was about to exit, and went on after all. */
const LEFT = -1

/** Runs when the addon has outcomes. */
function settle(): void {
  const settled = checked(native.collectSettled(evaluation.session))
  if (settled === LEFT) {
    failAll([...waiters.keys()], () => new IpcError('ERR_CLOSED', 'the process is about to exit'))
    return
  }
  if (typeof settled === 'number') {
    const wait = waiters.get(settled)
    wait?.grant()
    wait?.succeeded?.()
    return
  }
  const { granted, failed, errors } = settled
  const won = granted.flatMap(ticket => waiters.get(ticket) ?? [])
  for (const wait of won) wait.grant()
  failAll(failed, index => fromNative(errors[index] as Failure))
  for (const wait of won) wait.succeeded?.()
}

/**
 * Ends waits that nothing comes for any more.
 *
 * Subscribers are told when all have ended: one that aborts or closes something then finds no wait, and no unit, half way.
 */
export function failAll(tickets: readonly number[], errorOf: (index: number) => unknown): void {
  const ended: { wait: Waiter; error: unknown }[] = []
  for (const [index, ticket] of tickets.entries()) {
    const wait = waiters.get(ticket)
    if (wait === undefined) continue
    const error = errorOf(index)
    wait.fail(error)
    ended.push({ wait, error })
  }
  for (const { wait, error } of ended) wait.failed?.(error)
}

/**
 * This evaluation of the package: a process can have several, and the addon tells each of its own outcomes.
 *
 * What uses the addon refers to it, so the addon knows by its collection that nobody does any more.
 */
export const evaluation = { settle, session: 0 }
evaluation.session = checked(native.start(evaluation, settle, pool, hasOwnLibuv(), transit))

// libuv waits for its pool when the process exits. A worker's own cleanup hooks run, and what they do is enough.
if (isMainThread && !native.listenForExit()) process.prependListener('exit', () => native.beforeExit())

/** Has the outcome of a ticket reported to `waiter`, until it is forgotten. */
export function expect(ticket: number, waiter: Waiter): void {
  waiters.set(ticket, waiter)
  if (waiters.size === 1) keep()
}

/** Nobody waits for this ticket any more. */
export function forget(ticket: number): void {
  if (waiters.delete(ticket) && waiters.size === 0) keep()
}

/** Everybody who waits, with his ticket, in the order of the tickets. */
export function waiting(): Iterable<[ticket: number, waiter: Waiter]> {
  return waiters.entries()
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
