// The events that semaphores publish to node:diagnostics_channel.

import { Semaphore } from '../../index.js'
import { child } from '../shared/child.ts'
import { heardOf } from './helpers/heard.ts'
import { declareWaits, endOf, errorOf } from './helpers/waits.ts'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { inspection, linux, requires } from '../shared/requires.ts'
import { onEveryBackend, unitsOf } from '../semaphore/helpers/suite.ts'
import { until } from '../shared/until.ts'

/** Blocks this thread, so that the driver of the waits takes units while this thread collects none. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

onEveryBackend(({ test, create, open, backend }) => {
  /** The fields that every message has. */
  const about = ({ name }: Semaphore) => ({ name, key: undefined, backend, permit: false })

  test('post and a tryWait that takes publish, a tryWait that fails does not', t => {
    const semaphore = create(t, 1)
    const { events } = heardOf(t, semaphore)
    t.true(semaphore.tryWait())
    t.false(semaphore.tryWait())
    semaphore.post()
    semaphore.post(3)
    t.deepEqual(events, [
      { event: 'os-ipc:acquired', ...about(semaphore), wait: undefined, waited: 0 },
      { event: 'os-ipc:released', ...about(semaphore), count: 1, held: undefined },
      { event: 'os-ipc:released', ...about(semaphore), count: 3, held: undefined },
    ])
  })

  declareWaits({
    method: 'wait',
    permit: false,
    test,
    create: (t, units) => {
      const semaphore = create(t, units)
      return {
        name: semaphore.name,
        backend,
        take: options => semaphore.wait(options),
        give: () => open(t, semaphore.name).post(),
        close: () => semaphore.close(),
      }
    },
  })

  test('waitSync publishes as wait does', async t => {
    const semaphore = create(t, 1)
    const { events, take } = heardOf(t, semaphore)
    semaphore.waitSync()
    t.like(events[0], { event: 'os-ipc:acquired', permit: false, wait: undefined, waited: 0 })
    t.deepEqual(take(), ['acquired'])

    const error = t.throws(() => semaphore.waitSync({ timeout: 20 }), { code: 'ETIMEDOUT' })
    const { wait, waited } = endOf(events[1])
    t.true(waited >= 20, String(waited))
    t.like(events[0], { event: 'os-ipc:wait', permit: false, wait })
    t.is(errorOf(events[1]), error)
    t.deepEqual(take(), ['wait', 'timeout'])

    t.throws(() => semaphore.waitSync({ timeout: 0 }), { code: 'ETIMEDOUT' })
    t.like(events[0], { wait: undefined, waited: 0 })
    t.deepEqual(take(), ['timeout'])

    const signal = create(t, 0)
    heardOf(t, semaphore, ({ event }) => {
      if (event === 'os-ipc:wait') signal.post()
    })
    const poster = child(t, 'diagnostics/post-on-signal.ts', { args: [backend, signal.name, semaphore.name] })
    semaphore.waitSync({ timeout: 15_000 })
    t.like(events[1], { event: 'os-ipc:acquired', wait: endOf(events[0]).wait as number })
    t.true(endOf(events[1]).waited > 0)
    t.deepEqual(take(), ['wait', 'acquired'])
    t.is((await poster.exit).code, 0)
  })

  test('a subscriber that ends another wait loses no unit on its way', async t => {
    const semaphore = create(t, 0)
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const waits = controllers.map(({ signal }) => semaphore.wait({ signal }))
    const { take } = heardOf(t, semaphore, ({ event }) => {
      if (event === 'os-ipc:acquired') for (const controller of controllers) controller.abort()
    })
    open(t, semaphore.name).post(2)
    holdUp(100) // both are won before the first is told of
    const outcomes = await Promise.allSettled(waits)
    const taken = outcomes.filter(({ status }) => status === 'fulfilled').length
    t.true(taken >= 1)
    await until('no unit is missing', () => unitsOf(semaphore) === 2 - taken)
    t.is(take().filter(event => event === 'acquired').length, taken)
  })

  test('a subscriber may close the semaphore, and cannot wait on it again', async t => {
    const semaphore = create(t, 1)
    const { take } = heardOf(t, semaphore, ({ event }) => {
      if (event === 'os-ipc:acquired') semaphore.close()
    })
    const other = open(t, semaphore.name)
    await semaphore.wait()
    await t.throwsAsync(semaphore.wait(), { code: 'ERR_CLOSED' })
    t.is(unitsOf(other), 0)
    t.deepEqual(take(), ['acquired'])

    const again = open(t, semaphore.name)
    const controller = new AbortController()
    const waits = [again.wait({ signal: controller.signal }), again.wait({ signal: controller.signal })]
    const refused: Promise<unknown>[] = []
    heardOf(t, semaphore, ({ event }) => {
      if (event !== 'os-ipc:failed') return
      refused.push(again.wait().catch(({ code }) => code))
      controller.abort() // of waits that are ending
    })
    again.close()
    for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
    t.deepEqual(await Promise.all(refused), ['ERR_CLOSED', 'ERR_CLOSED'])
  })

  test('a subscriber that throws affects no other code', async t => {
    const semaphore = create(t, 1)
    const throwing = child(t, 'diagnostics/throwing-subscriber.ts', { args: [backend, semaphore.name] })
    t.like(await throwing.next(), { taken: 4, refused: ['ETIMEDOUT', 'AbortError', 'ERR_CLOSED'] })
    const uncaught = (await throwing.next()) as string[]
    t.deepEqual([...new Set(uncaught)].sort(), ['acquired', 'failed', 'released', 'timeout', 'wait'])
    t.is((await throwing.exit).code, 0)
    t.is(unitsOf(semaphore), 0)
  })

  test('a worker publishes in its own thread only', async t => {
    const semaphore = create(t, 0)
    const worker = child(t, 'diagnostics/diagnostics-worker.ts', { args: [backend, semaphore.name] })
    t.deepEqual(await worker.next(), {
      inside: ['wait', 'acquired', 'released', 'acquired', 'timeout', 'released'],
      outside: ['released'],
    })
    t.is((await worker.exit).code, 0)
  })
})

requires(inspection)('unlink ends waits with a failure', async t => {
  const semaphore = Semaphore.create(uniqueName(t), { initial: 0 })
  t.teardown(() => semaphore.close())
  const { events, take } = heardOf(t, semaphore)
  const wait = semaphore.wait()
  semaphore.unlink()
  await t.throwsAsync(wait, { code: 'EIDRM' })
  t.like(errorOf(events[1]), { code: 'EIDRM' })
  t.deepEqual(take(), ['wait', 'failed'])
})

requires(linux)('events of a semaphore with a raw key have its key', t => {
  const key = uniqueKey(t)
  const semaphore = Semaphore.create(key, { initial: 1 })
  t.teardown(() => semaphore.close())
  const { events } = heardOf(t, semaphore)
  semaphore.tryWait()
  t.deepEqual(
    events.filter(event => event.key === key),
    [
      {
        event: 'os-ipc:acquired',
        name: undefined,
        key,
        backend: 'sysv',
        permit: false,
        wait: undefined,
        waited: 0,
      },
    ],
  )
})
