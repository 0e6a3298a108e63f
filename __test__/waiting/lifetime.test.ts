// Unreachable objects are freed, pending ones are not; fake exits, and other ways to load the package.

import test from 'ava'

import { backends, ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { removeNamed, uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'

for (const node of nodes) {
  test(`semaphores that are dropped without close() leave no handle (Node ${node.major})`, async t => {
    const semaphore = ownSemaphore(t)
    t.teardown(() => removeNamed(`${semaphore.name}-limit`))
    const dropping = child(t, 'waiting/drop-handles.ts', {
      node,
      nodeArgs: ['--expose-gc'],
      args: [semaphore.name],
    })
    const most = (await dropping.next()) as number
    t.true(most < 5_000, `${most}`)
    t.is(await dropping.next(), 0) // a permit that is dropped stays held while the process lives
    t.is(await dropping.next(), 'came') // a wait holds its semaphore
    t.is((await dropping.exit).code, 0)
    t.is(semaphore.value, 0)
  })

  test(`require() works (Node ${node.major})`, async t => {
    const semaphore = ownSemaphore(t)
    const requiring = child(t, 'waiting/require.cts', {
      node,
      args: [semaphore.name],
      nodeArgs: ['--disable-warning=ExperimentalWarning'],
      // As users run it: hooks such as those of scripts/older-syntax.mjs load modules in another way.
      env: { NODE_OPTIONS: '' },
    })
    t.deepEqual(await requiring.next(), { same: true, ipcError: true })
    t.like(await requiring.exit, { code: 0, stderr: '' })
  })
}

for (const backend of backends) {
  test(`a fake exit ends the waits, and new waits work afterwards (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    t.teardown(() => removeNamed(`${semaphore.name}-limit`))
    const pretending = child(t, 'waiting/fake-exit.ts', { args: [backend, semaphore.name] })
    t.deepEqual(await pretending.next(), ['ERR_CLOSED', 'ERR_CLOSED', 'ERR_CLOSED'])
    t.is(await pretending.next(), 1) // its permit is back
    t.is(await pretending.next(), 'it waits as before')
    t.is((await pretending.exit).code, 0)
    t.is(semaphore.value, 0)
  })
}

test('waits need no global Promise', async t => {
  const found = await child(t, 'waiting/replaced-promise.ts', { args: [uniqueName(t)] }).next()
  t.deepEqual(found, { received: [1, [2, 3, 4]], waited: true })
})
