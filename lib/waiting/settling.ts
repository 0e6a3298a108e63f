import { setImmediate } from './clock.js'
import { fromNative, IpcError } from '../errors.js'
import { hasOwnLibuv } from './event-loop.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { poolThreads } from './pool.js'

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

/** Runs when the addon has outcomes. */
function settle(): void {
  const settled = native.collectSettled()
  if (typeof settled === 'number') {
    const wait = waiters.get(settled)
    wait?.grant()
    wait?.succeeded?.()
    return
  }
  const { granted, failed, errors } = settled
  const won = granted.flatMap(ticket => waiters.get(ticket) ?? [])
  for (const wait of won) wait.grant()
  failAll(failed, index => errors[index])
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

native.start(fromNative, settle, pool, hasOwnLibuv())

// libuv waits for its pool when the process exits, and no cleanup hook runs then; this does, also after an uncaught
// error. It goes first: a listener that throws ends the round. A worker's own hooks do run, and what they do is enough.
if (isMainThread) {
  process.prependListener('exit', () => {
    native.beforeExit()
    // Only where this was no exit after all does anybody hear of it: here a rejection would end the process as an error.
    setImmediate(() => {
      failAll([...waiters.keys()], () => new IpcError('ERR_CLOSED', 'the process is about to exit'))
    }).unref()
  })
}

/** Has the outcome of a ticket reported to `waiter`, until it is forgotten. */
export function expect(ticket: number, waiter: Waiter): void {
  waiters.set(ticket, waiter)
}

/** Nobody waits for this ticket any more. */
export function forget(ticket: number): void {
  waiters.delete(ticket)
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
  if (before !== after) native.keepAlive(after)
}
