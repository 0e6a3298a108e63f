// A signal ends a wait in the same tick, with its own reason, and no unit is lost on the way.

import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'

import test from 'ava'

import { Semaphore } from '../../index.js'
import { backends, ownSemaphore } from '../shared/backends.ts'
import { child } from '../shared/child.ts'
import { injected } from '../shared/surroundings.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

for (const backend of backends) {
  for (const take of ['wait', 'wait with a timeout'] as const) {
    const start = (semaphore: Semaphore, signal: AbortSignal): Promise<unknown> =>
      semaphore.wait(take === 'wait' ? { signal } : { signal, timeout: 60_000 })

    test(`an abort rejects ${take} with the signal's reason itself (${backend})`, async t => {
      const semaphore = ownSemaphore(t, backend)
      for (const reason of [new Error('mine'), 'text', 0, null, false, { any: 'thing' }]) {
        const controller = new AbortController()
        const waiting = start(semaphore, controller.signal)
        controller.abort(reason)
        t.is(await reasonOf(waiting), reason)
      }
      const controller = new AbortController()
      const waiting = start(semaphore, controller.signal)
      controller.abort()
      const error = await t.throwsAsync(waiting, { instanceOf: DOMException, name: 'AbortError' })
      t.is(error, controller.signal.reason)
    })

    test(`an aborted signal rejects ${take}, and takes nothing (${backend})`, async t => {
      const semaphore = ownSemaphore(t, backend, 1)
      const reason = Symbol('reason')
      t.is(await reasonOf(start(semaphore, AbortSignal.abort(reason))), reason)
      t.is(semaphore.value, 1)
    })
  }

  test(`an abort ends the wait before it returns (${backend})`, t => {
    const semaphore = ownSemaphore(t, backend)
    const controller = new AbortController()
    const waiting = semaphore.wait({ signal: controller.signal })
    waiting.catch(() => {})
    t.is(semaphore.info().pending, 1)
    t.is(getEventListeners(controller.signal, 'abort').length, 1)
    controller.abort()
    t.is(semaphore.info().pending, 0)
    t.is(getEventListeners(controller.signal, 'abort').length, 0)
  })

  test(`an abort rejects before any scheduled callback runs (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const controller = new AbortController()
    const order: string[] = []
    const waiting = semaphore.wait({ signal: controller.signal }).catch(() => order.push('rejected'))
    setImmediate(() => order.push('turn'))
    process.nextTick(() => order.push('tick'))
    controller.abort()
    await waiting
    t.false(order.includes('turn'))
  })

  test(`2,000 aborts at random moments against posts lose and double no unit (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const poster = Semaphore.open(semaphore.name, { backend })
    t.teardown(() => poster.close())
    let granted = 0
    let aborted = 0
    const waits: Promise<void>[] = []
    const begin = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const controller = new AbortController()
        const { signal } = controller
        const taken = semaphore.wait({ signal }).then(() => semaphore.post())
        waits.push(
          taken.then(
            () => {
              granted += 1
            },
            error => {
              t.is(error, signal.reason)
              aborted += 1
            },
          ),
        )
        const when = Math.random()
        if (when < 0.3) controller.abort(i)
        else if (when < 0.6) setImmediate(() => controller.abort(i))
        else setTimeout(() => controller.abort(i), when * 20)
        if (i % 20 === 0) await turn()
      }
    }
    // These end before a unit is posted. If this process is held up later, the other one can post all of its units meanwhile.
    await begin(20)
    await Promise.all(waits)
    const posts = child(t, 'waiting/post-at-random.ts', { args: [backend, semaphore.name, 1_000] })
    await begin(1_980)
    await Promise.all(waits)
    t.is(granted + aborted, 2_000)
    t.true(aborted > 0)
    t.is((await posts.exit).code, 0)
    await until('every unit is there', () => semaphore.value === 1_000)
    t.is(semaphore.info().pending, 0)
  })

  test(`a unit on its way to a wait that is aborted goes to the next one (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const poster = Semaphore.open(semaphore.name, { backend })
    t.teardown(() => poster.close())
    const controller = new AbortController()
    const first = t.throwsAsync(semaphore.wait({ signal: controller.signal }), { name: 'AbortError' })
    const second = semaphore.wait()
    semaphore.post()
    while (semaphore.value > 0); // this thread collects no unit meanwhile
    controller.abort()
    await first
    await second
    t.is(semaphore.value, 0)
  })

  test(`a unit on its way to an aborted last wait goes back (${backend})`, async t => {
    const semaphore = ownSemaphore(t, backend)
    const controller = new AbortController()
    const waiting = t.throwsAsync(semaphore.wait({ signal: controller.signal }), { name: 'AbortError' })
    semaphore.post()
    while (semaphore.value > 0);
    controller.abort()
    await until('it is back', () => semaphore.value === 1)
    await waiting
  })
}

test('signal.onabort does not change, and is called', async t => {
  const semaphore = ownSemaphore(t)
  const controller = new AbortController()
  let called = 0
  const mine = () => {
    called += 1
  }
  controller.signal.onabort = mine
  const waiting = semaphore.wait({ signal: controller.signal })
  t.is(controller.signal.onabort, mine)
  controller.abort()
  await t.throwsAsync(waiting, { name: 'AbortError' })
  t.is(called, 1)
  t.is(controller.signal.onabort, mine)
})

test('a wait leaves no listener on its signal, in whichever way it ends', async t => {
  const semaphore = ownSemaphore(t)
  const { signal } = new AbortController()
  const warnings: Error[] = []
  const warned = (warning: Error) => warnings.push(warning)
  process.on('warning', warned)
  t.teardown(() => process.off('warning', warned))
  const listeners = () => getEventListeners(signal, 'abort').length

  const granted = Array.from({ length: 100 }, () => semaphore.wait({ signal }))
  t.is(listeners(), 100)
  semaphore.post(100)
  await Promise.all(granted)
  t.is(listeners(), 0)

  semaphore.post()
  await semaphore.wait({ signal }) // at once
  await t.throwsAsync(semaphore.wait({ signal, timeout: 1 }), { code: 'ETIMEDOUT' })
  await t.throwsAsync(semaphore.wait({ signal, timeout: 0 }), { code: 'ETIMEDOUT' })
  const closed = t.throwsAsync(semaphore.wait({ signal }), { code: 'ERR_CLOSED' })
  semaphore.close()
  await closed
  t.is(listeners(), 0)
  await turn()
  t.deepEqual(warnings, [])
})

test('a listener of the program that aborts other waits ends each of them once', async t => {
  const semaphore = ownSemaphore(t)
  const [outer, inner] = [new AbortController(), new AbortController()]
  outer.signal.addEventListener('abort', () => {
    inner.abort('inner')
    semaphore.close()
  })
  const waits = [
    semaphore.wait({ signal: outer.signal }),
    semaphore.wait({ signal: inner.signal }),
    semaphore.wait(),
  ]
  outer.abort('outer')
  const errors = (await Promise.allSettled(waits)).map(wait => wait.status === 'rejected' && wait.reason)
  t.is(errors[1], 'inner')
  t.like(errors[0], { code: 'ERR_CLOSED' })
  t.like(errors[2], { code: 'ERR_CLOSED' })
})

requires(injected())('an aborted signal rejects without a system call', async t => {
  const semaphore = ownSemaphore(t)
  // Every system call of the child's semaphores kills it.
  const waiting = child(t, 'waiting/wait-aborted.ts', {
    args: [semaphore.name],
    within: [injected('semop:signal=SIGKILL')],
  })
  t.is(await waiting.next(), 'the reason')
  t.like(await waiting.exit, { code: 0, signal: null })
})

/** The reason with which a promise rejects. */
async function reasonOf(promise: Promise<unknown>): Promise<unknown> {
  const [result] = await Promise.allSettled([promise])
  return result.status === 'rejected' ? result.reason : new Error('it did not reject')
}
