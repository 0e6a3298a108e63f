// A process can have several evaluations of the package's JavaScript: over one binary, over a binary that is loaded again, or
// over a binary each. Jest makes one for every test file, a development server after an edit, a package manager for each
// version of a peer.

import test from 'ava'

import { child } from '../shared/child.ts'
import { copyOfPackage } from '../shared/copies.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

/** The way in which the copies share their addon. */
const WAYS = {
  'two evaluations over one binary': { count: 2, binary: 'same', addon: 'shared' },
  'twenty evaluations over one binary': { count: 20, binary: 'same', addon: 'shared' },
  'two evaluations over an addon that is loaded twice': { count: 2, binary: 'same', addon: 'loaded anew' },
  'twelve evaluations over an addon that is loaded twelve times': {
    count: 12,
    binary: 'same',
    addon: 'loaded anew',
  },
  'three evaluations in a worker': { count: 3, binary: 'same', addon: 'in a worker' },
  'four copies with a binary each': { count: 4, binary: 'own', addon: 'shared' },
} as const

for (const [way, { count, binary, addon }] of Object.entries(WAYS)) {
  for (const node of nodes) {
    test(`${way} have their own outcomes, locks and errors (Node ${node.major})`, async t => {
      const name = uniqueName(t)
      const copies = Array.from({ length: count }, () => copyOfPackage(t, binary))
      const using = child(t, 'addon/use-copies.ts', { node, args: [name, addon, ...copies] })
      t.is(await using.next(), count, 'each wait has its own number')
      t.deepEqual(
        await using.next(),
        copies.map(() => 'fulfilled'),
      )
      t.is(await using.next(), 300)
      t.true(await using.next(), 'two holders were inside the lock')
      t.true(await using.next(), 'every copy accepts an IpcError as its own')
      t.true(await using.next(), 'every copy accepts a Semaphore as its own')
      t.is(await using.next(), 'ERR_CLOSED')
      t.is(await using.next(), 0)
      t.deepEqual(await using.next(), [])
      t.is((await using.exit).code, 0)
    })
  }
}

for (const node of nodes) {
  test(`an unused evaluation is collected (Node ${node.major})`, async t => {
    const dropping = child(t, 'addon/evaluate-and-drop.ts', {
      node,
      nodeArgs: ['--expose-gc'],
      args: [uniqueName(t), 50, copyOfPackage(t, 'same').replace(/js$/, 'cjs')],
    })
    t.is(await dropping.next(), 50)
    const left = (await dropping.next()) as number
    t.true(left < 10, `${left} of 50 are left`)
    t.true(await dropping.next(), 'instanceof is true in every context')
    t.true(((await dropping.next()) as number) < 5)
    t.deepEqual(await dropping.next(), [])
    t.is((await dropping.exit).code, 0)
  })

  requires(linux)(
    `four copies with their own binaries use a quarter of the pool together (Node ${node.major})`,
    async t => {
      const copies = Array.from({ length: 4 }, () => copyOfPackage(t, 'own'))
      const filling = child(t, 'addon/fill-pool.ts', { node, args: [20, uniqueName(t), ...copies] })
      const pool = (await filling.next()) as number
      t.true(pool <= 1, `${pool} threads of the pool are blocked`)
      t.is(await filling.next(), 'all came')
      t.is((await filling.exit).code, 0)
    },
  )
}
