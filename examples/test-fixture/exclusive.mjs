// A fixture: runs a test while no other test of this host has the resource, whichever process it runs in.
//
//   test('...', exclusive('database', async t => { ... }))

import { Limit } from 'os-ipc'

/** A test function that holds the resource while it runs. The resource is free again when the test fails or its process dies. */
export function exclusive(resource, fn) {
  const turn = Limit.openOrCreate(`/example-${resource}`, { permits: 1 })
  return t => turn.use(() => fn(t), { signal: t.signal })
}
