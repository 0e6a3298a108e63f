// A worker that ends with a live `buffer` frees its addresses; a buffer that it moved to another thread stays valid.

import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

const COUNT = 20
/** Each worker maps three times 64 MB; this many megabytes are less than half of what one worker maps. */
const LITTLE = 90
/** glibc reserves 64 MB for each new arena, which it makes when threads allocate at the same time. */
const ENV = { MALLOC_ARENA_MAX: '1' }

for (const how of ['terminate', 'exit', 'return', 'throw']) {
  requires(linux)(`workers that end with a live buffer reserve no addresses: ${how}`, async t => {
    await Promise.all(
      nodes.map(async node => {
        const args = [uniqueName(t), how, COUNT]
        const process = child(t, 'memory/worker-buffers.ts', { node, env: ENV, args })
        const { grown } = (await process.next()) as { grown: number }
        t.true(grown < LITTLE, `Node ${node.major}: ${grown} MB more`)
      }),
    )
  })
}

requires(linux)(
  "after a worker's end only buffers that it moved to another thread stay valid and reserved",
  async t => {
    await Promise.all(
      nodes.map(async node => {
        const process = child(t, 'memory/worker-buffers.ts', {
          node,
          env: ENV,
          args: [uniqueName(t), 'transfer', COUNT],
        })
        const { grown, object, received } = (await process.next()) as Record<string, number>
        t.is(received, COUNT + 5)
        t.is(object, 0, 'writes to it do not reach the memory')
        t.true((grown as number) < COUNT * 64 + LITTLE, `Node ${node.major}: ${grown} MB more`)
      }),
    )
  },
)
