import type { ExecutionContext } from 'ava'

import type { Id } from '../../../index.js'
import type { FixtureOptions } from '../../shared/child.ts'
import { openRemote, type OpeningMethod, type Remote } from '../../shared/remote.ts'

/** Opens a limit in a new process: `fixtures/limit.ts`. */
export function remote(
  t: ExecutionContext,
  method: OpeningMethod,
  id: Id,
  options?: object,
  childOptions?: Omit<FixtureOptions, 'args'>,
): Remote {
  return openRemote(t, 'limit/limit.ts', method, id, options, childOptions)
}
