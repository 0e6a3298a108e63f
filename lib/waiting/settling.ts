import { setImmediate } from './clock.js'
import { fromNative, IpcError } from '../errors.js'
import { hasOwnLibuv } from './event-loop.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { poolThreads } from './pool.js'

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

/** How many threads of the runtime's pool there are for this thread's waits. */
export const pool = poolThreads()

/** Runs when the addon has outcomes. */
function settle(): void {
  const settled = native.collectSettled()
  if (typeof settled === 'number') {
    const wait = waiters.get(settled)
    wait?.grant()
    wait?.succeeded()
    return
  }
  const { granted, failed, errors } = settled
  const won = granted.flatMap(ticket => waiters.get(ticket) ?? [])
  for (const wait of won) wait.grant()
  const lost = endAll(failed, index => errors[index])
  each(won, wait => wait.succeeded())
  tellAll(lost)
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

native.start(fromNative, settle, pool, hasOwnLibuv())

// libuv waits for its pool when the process exits, and no cleanup hook runs then; this does, also after an uncaught
// error. It goes first: a listener that throws ends the round. A worker's own hooks do run, and what they do is enough.
if (isMainThread) {
  process.prependListener('exit', () => {
    native.beforeExit()
    // Only where this was no exit after all does anybody hear of it: here a rejection would end the process as an error.
    setImmediate(() => {
      tellAll(endAll([...waiters.keys()], () => new IpcError('ERR_CLOSED', 'the process is about to exit')))
    }).unref()
  })
}

/** So many more, or fewer, pending waits keep the process alive. */
export function reference(change: number): void {
  const before = referenced > 0
  referenced += change
  const after = referenced > 0
  if (before !== after) native.keepAlive(after)
}
