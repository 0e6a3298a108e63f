import type { ExecutionContext } from 'ava'

import type { Id } from '../../../index.js'
import { child, type Child, type FixtureOptions } from '../../shared/child.ts'

/** A limit in another process: `fixtures/limit.ts`. */
export interface Remote {
  readonly child: Child
  /** What came of opening it: `{ created, name, verified }`, or the error. */
  readonly opened: Promise<unknown>
  /** Makes a call there, and answers what it returned (`'done'` for nothing) or its error. */
  call(method: string, ...args: readonly unknown[]): Promise<unknown>
}

/** Opens a limit in a process of its own. */
export function remote(
  t: ExecutionContext,
  method: 'create' | 'open' | 'openOrCreate' | 'unlink',
  id: Id,
  options: object = {},
  childOptions: Omit<FixtureOptions, 'args'> = {},
): Remote {
  const args = [method, id, options].map(arg => JSON.stringify(arg))
  // It stays until its test ends, and others run meanwhile.
  const started = child(t, 'limit/limit.ts', { limit: 60_000, ...childOptions, args })
  const opened = started.next()
  opened.catch(() => {}) // whoever awaits it hears of it
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
