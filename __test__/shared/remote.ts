import type { ExecutionContext } from 'ava'

import type { Id } from '../../index.js'
import { child, type Child, type FixtureOptions } from './child.ts'

/** The static methods of a semaphore or limit that a process begins with. */
export type OpeningMethod = 'create' | 'open' | 'openOrCreate' | 'unlink'

/** A semaphore or limit in another process, which calls {@link serveCalls} of `serve-calls.ts`. */
export interface Remote {
  readonly child: Child
  /** The result of opening it: `{ created, name, verified }`, or the error. */
  readonly opened: Promise<unknown>
  /** Makes a call there; resolves with its result (`'done'` for undefined) or its error. */
  call(method: string, ...args: readonly unknown[]): Promise<unknown>
}

/** Opens a semaphore or limit in a new process; `fixture` is its program. */
export function openRemote(
  t: ExecutionContext,
  fixture: string,
  method: OpeningMethod,
  id: Id,
  options: object = {},
  childOptions: Omit<FixtureOptions, 'args'> = {},
): Remote {
  const args = [method, id, options].map(arg => JSON.stringify(arg))
  // The process lives until its test ends; other tests run meanwhile.
  const started = child(t, fixture, { limit: 60_000, ...childOptions, args })
  const opened = started.next()
  opened.catch(() => {}) // the test that awaits it gets the error
  return {
    child: started,
    opened,
    call: async (call, ...rest) => {
      await opened
      started.send([call, ...rest])
      return started.next()
    },
  }
}
