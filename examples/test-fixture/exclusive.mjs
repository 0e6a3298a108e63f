// examples/test-fixture/exclusive.mjs
// A fixture: runs a test while no other test of this host, in any process, uses the resource.
//
//   test('...', exclusive('database', async t => { ... }))

import { Limit } from 'os-ipc'

/**
 * A test function that holds the resource while it runs. The resource is free when the test ends or its process dies.
 *
 * @template {{ signal: AbortSignal }} Context
 * @param {string} resource
 * @param {(t: Context) => void | Promise<void>} fn
 * @returns {(t: Context) => Promise<void>}
 */
export function exclusive(resource, fn) {
  const turn = Limit.openOrCreate(`/example-${resource}`, { permits: 1 })
  return t => turn.use(() => fn(t), { signal: t.signal })
}
