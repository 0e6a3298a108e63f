// Only lib/ throws the addon's errors: whatever a program does to JavaScript's errors, and wherever the stack ends, a call
// that fails throws its error and runs none of the program's code.

import test from 'ava'

import { Semaphore } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'

for (const node of nodes) {
  requires(linux)(
    `every call throws its error where the program has patched errors (Node ${node.major})`,
    async t => {
      const name = uniqueName(t)
      const failing = child(t, 'addon/fail-in-odd-places.ts', { node, args: ['patched', name] })
      t.deepEqual(await failing.next(), [])
      t.deepEqual(await failing.next(), [32_767, true, 'held'])
      t.is(await failing.next(), 'IpcError')
      t.is((await failing.exit).signal, null)
    },
  )

  requires(linux)(`every call throws at the end of the stack (Node ${node.major})`, async t => {
    const name = uniqueName(t)
    const failing = child(t, 'addon/fail-in-odd-places.ts', { node, args: ['stack', name] })
    t.deepEqual(await failing.next(), { returned: 0, others: 0, missing: 0 })
    t.deepEqual(await failing.next(), [32_767, true, 'held'])
    t.is(await failing.next(), 'IpcError')
    t.is((await failing.exit).signal, null)
  })

  for (const call of ['post', 'tryWait', 'value', 'open', 'memory'] as const) {
    test(`a worker can be terminated while its calls fail: ${call} (Node ${node.major})`, async t => {
      const name = uniqueName(t)
      const terminating = child(t, 'addon/terminate-while-failing.ts', { node, args: [name, call, 20] })
      t.deepEqual(await terminating.next(), { ended: 20, returned: 0 })
      t.is((await terminating.exit).code, 0)
    })
  }

  for (const backend of ['sysv', 'posix'] as const) {
    requires(linux).serial(
      `a worker that is terminated during a take loses no unit (${backend}, Node ${node.major})`,
      async t => {
        const name = uniqueName(t)
        const semaphore = Semaphore.create(name, { initial: 0, backend })
        t.teardown(() => semaphore.close())
        const workers = 40
        for (const call of ['tryWait', 'waitSync', 'wait']) {
          const terminating = child(t, 'addon/terminate-while-taking.ts', {
            node,
            args: [name, backend, call, workers],
          })
          const lost = (await terminating.next()) as number
          // A worker can end after the call has returned and before the next step of its code: docs/semantics.md.
          // A promise of `wait` resolves first, and its reaction waits for its turn.
          const window = call === 'wait' ? workers / 4 : workers / 10
          t.true(lost <= window, `${call}: ${lost} of ${workers * 5} units are gone`)
          await terminating.exit
        }
      },
    )
  }
}
