import { isDeepStrictEqual } from 'node:util'

import type { ExecutionContext } from 'ava'

/**
 * Fails unless `serve` serves in this order in one of three tries: a process that gets no processor for a
 * second when its turn comes is passed, by design.
 */
export async function servedAs<T>(
  t: ExecutionContext,
  expected: readonly T[],
  serve: (t: ExecutionContext) => Promise<readonly T[]>,
): Promise<void> {
  let order = await serve(t)
  for (let more = 0; more < 2 && !isDeepStrictEqual(order, expected); more += 1) order = await serve(t)
  t.deepEqual(order, expected)
}
