import type { ExecutionContext } from 'ava'

import { type CreateLimitOptions, Limit } from '../../../index.js'
import { uniqueName } from '../../shared/names.ts'

/** A limit of its own for a test; closed, and gone, when the test ends. */
export function ownLimit(
  t: ExecutionContext,
  permits: number,
  options: Omit<CreateLimitOptions, 'permits'> = {},
): Limit {
  const limit = Limit.create(uniqueName(t), { permits, ...options })
  t.teardown(() => limit.close())
  return limit
}

/** How many permits are free. */
export function freeOf(limit: Limit): number {
  return limit.info().free
}
