import type { ExecutionContext } from 'ava'

import { type CreateLimitOptions, Limit } from '../../../index.js'
import { uniqueName } from '../../shared/names.ts'

/** A limit that has a name. */
export type NamedLimit = Limit & { readonly name: string }

/** A limit with a unique name for a test; it is closed and removed when the test ends. */
export function ownLimit(
  t: ExecutionContext,
  permits: number,
  options: Omit<CreateLimitOptions, 'permits'> = {},
): NamedLimit {
  const limit = Limit.create(uniqueName(t), { permits, ...options }) as NamedLimit
  t.teardown(() => limit.close())
  return limit
}

/** The number of free permits. */
export function freeOf(limit: Limit): number {
  return limit.info().free
}
