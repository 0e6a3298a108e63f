// The facts of `capabilities` are true.

import test from 'ava'

import { capabilities, Semaphore, SharedMemory } from '../../index.js'
import { child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'

test('objects outlive the process that made them where `persistent` is true', async t => {
  const name = uniqueName(t)
  const maker = child(t, 'addon/make-objects.ts', { args: [name] })
  t.is(await maker.next(), 'made')
  t.is((await maker.exit).code, 0)
  const isThere = (open: () => Disposable) => {
    try {
      open()[Symbol.dispose]()
      return true
    } catch (error) {
      t.is((error as NodeJS.ErrnoException).code, 'ENOENT')
      return false
    }
  }
  t.is(typeof capabilities.persistent, 'boolean')
  t.is(
    isThere(() => SharedMemory.open(name)),
    capabilities.persistent,
  )
  for (const backend of capabilities.semaphoreBackends) {
    t.is(
      isThere(() => Semaphore.open(name, { backend })),
      capabilities.persistent,
      backend,
    )
  }
})
