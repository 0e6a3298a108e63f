// A worker that ends with a live `buffer` gives its addresses back; what it moved to another thread stays valid.

import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

const COUNT = 20
/** Of 64 MB each worker maps three; so much is not half of what one of them maps. */
const LITTLE = 90

for (const how of ['terminate', 'exit', 'return', 'throw']) {
  requires(linux)(`workers that end with a live buffer reserve no addresses: ${how}`, async t => {
    await Promise.all(
      nodes.map(async node => {
        const process = child(t, 'memory/worker-buffers.ts', { node, args: [uniqueName(t), how, COUNT] })
        const { grown } = (await process.next()) as { grown: number }
        t.true(grown < LITTLE, `Node ${node.major}: ${grown} MB more`)
      }),
    )
  })
}

requires(linux)(
  'what a worker moved to another thread stays valid after its end, and alone stays reserved',
  async t => {
    await Promise.all(
      nodes.map(async node => {
        const process = child(t, 'memory/worker-buffers.ts', {
          node,
          args: [uniqueName(t), 'transfer', COUNT],
        })
        const { grown, object, received } = (await process.next()) as Record<string, number>
        t.is(received, COUNT + 5)
        t.is(object, 0, 'what is written there does not reach the memory')
        t.true((grown as number) < COUNT * 64 + LITTLE, `Node ${node.major}: ${grown} MB more`)
      }),
    )
  },
)
