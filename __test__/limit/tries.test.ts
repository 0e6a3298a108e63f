// A permit that is free is never refused, whatever other processes do to the limit at that moment.

import test from 'ava'

import { child } from '../shared/child.ts'
import { engines } from '../shared/engines.ts'
import { ownLimit } from './helpers/own.ts'

for (const engine of engines) {
  test(`tries of several processes are never refused while most permits are free (${engine})`, async t => {
    const limit = ownLimit(t, 1_000, { engine })
    const rivals = Array.from({ length: 3 }, () =>
      child(t, 'limit/tries.ts', { args: [limit.name, 100_000] }),
    )
    const refused = await Promise.all(rivals.map(rival => rival.next()))
    t.deepEqual(refused, [0, 0, 0])
    t.is(limit.info().free, 1_000)
  })
}
