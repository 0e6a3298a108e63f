// waitSync blocks only its own thread.

import test, { type ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { type Backend, backends, ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { until } from '../shared/until.ts'

for (const backend of backends) {
  for (const where of ['here', 'worker']) {
    test(`another process wakes waitSync (${where}, ${backend})`, async t => {
      await Promise.all(
        nodes.map(async node => {
          const semaphore = ownSemaphore(t, backend)
          const back = beside(t, semaphore, 'back')
          const blocking = child(t, 'waiting/block.ts', { node, args: [backend, semaphore.name, where] })
          for (let i = 0; i < 50; i++) {
            semaphore.post()
            await back.wait()
          }
          t.is(await blocking.next(), 0)
          t.is((await blocking.exit).code, 0)
        }),
      )
    })
  }

  test(`a worker of its own process wakes waitSync (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    beside(t, semaphore, 'started')
    const blocking = child(t, 'waiting/ping-thread.ts', { args: [backend, semaphore.name] })
    t.is(await blocking.next(), 'woken')
    t.is((await blocking.exit).code, 0)
  })

  test(`waitSync takes an available unit (${backend})`, t => {
    const semaphore = ownSemaphore(t, backend, 3)
    semaphore.waitSync()
    semaphore.waitSync({})
    semaphore.waitSync({ timeout: 1_000 })
    t.is(semaphore.value, 0)
  })

  test(`a waitSync that timed out takes no unit, and leaves no waiter behind (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    for (let i = 0; i < 20; i++) t.throws(() => semaphore.waitSync({ timeout: 1 }), { code: 'ETIMEDOUT' })
    t.is(semaphore.info().pending, 0)
    semaphore.post()
    // A thread that is about to leave can take the unit, and then gives it back.
    await until('the unit is there', () => semaphore.value === 1)
  })
}

/** Another semaphore, whose name is the first one's with this suffix. */
function beside(t: ExecutionContext, semaphore: Semaphore, suffix: string): Semaphore {
  const backend: Backend = semaphore.backend
  const other = Semaphore.create(`${semaphore.name}-${suffix}`, { initial: 0, backend })
  t.teardown(() => {
    other.unlink()
    other.close()
  })
  return other
}
