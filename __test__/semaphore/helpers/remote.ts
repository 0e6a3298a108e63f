import type { ExecutionContext } from 'ava'

import type { Id } from '../../../index.js'
import type { FixtureOptions } from '../../shared/child.ts'
import { openRemote, type OpeningMethod, type Remote } from '../../shared/remote.ts'

/** Opens a semaphore in a new process: `fixtures/semaphore.ts`. */
export function remote(
  t: ExecutionContext,
  method: OpeningMethod,
  id: Id,
  options?: object,
  childOptions?: Omit<FixtureOptions, 'args'>,
): Remote {
  return openRemote(t, 'semaphore/semaphore.ts', method, id, options, childOptions)
}
