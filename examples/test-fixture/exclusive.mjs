// A fixture: runs a test while no other test of this host, in any process, uses the resource.
//
//   test('...', exclusive('database', async t => { ... }))

import { Limit } from 'os-ipc'

/** A test function that holds the resource while it runs, and frees it when the test fails or its process dies. */
export function exclusive(resource, fn) {
  const turn = Limit.openOrCreate(`/example-${resource}`, { permits: 1 })
  return t => turn.use(() => fn(t), { signal: t.signal })
}
