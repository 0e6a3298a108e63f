import { isMainThread } from 'node:worker_threads'

import { fromNative, IpcError } from './errors.js'
import { native } from './native.js'
import { poolThreads } from './pool.js'

/** Somebody who waits for an outcome of the addon. */
export interface Waiter {
  /** What was waited for came. */
  grant(): void
  /** It will not come. */
  fail(error: unknown): void
}

/** By ticket. */
const waiters = new Map<number, Waiter>()

/** How many pending waits keep the process alive. */
let referenced = 0

/** How many threads of the runtime's pool there are for this thread's waits. */
export const pool = poolThreads()

/** Runs when the addon has outcomes. */
function settle(): void {
  const { granted, failed, errors } = native.collectSettled()
  for (const ticket of granted) waiters.get(ticket)?.grant()
  for (const [index, ticket] of failed.entries()) waiters.get(ticket)?.fail(errors[index])
}

native.start(fromNative, settle, pool)

// libuv waits for its pool when the process exits, and no cleanup hook runs then; this does, also after an uncaught
// error. It goes first: a listener that throws ends the round. A worker's own hooks do run, and what they do is enough.
if (isMainThread) {
  process.prependListener('exit', () => {
    native.beforeExit()
    // Only where this was no exit after all does anybody hear of it: here a rejection would end the process as an error.
    setImmediate(() => {
      for (const wait of waiters.values()) {
        wait.fail(new IpcError('ERR_CLOSED', 'the process is about to exit'))
      }
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

/** Everybody who waits, in the order of the tickets. */
export function waiting(): Iterable<Waiter> {
  return waiters.values()
}

/** So many more, or fewer, pending waits keep the process alive. */
export function reference(change: number): void {
  const before = referenced > 0
  referenced += change
  const after = referenced > 0
  if (before !== after) native.keepAlive(after)
}
