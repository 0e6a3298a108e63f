// What semaphores and limits publish to node:diagnostics_channel.

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, Semaphore } from '../../index.js'
import { child } from '../shared/child.ts'
import { type Event, heardOf } from './helpers/heard.ts'
import { onEveryTaker } from './helpers/takers.ts'
import { freeOf, ownLimit } from '../limit/helpers/own.ts'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { onEveryBackend, unitsOf } from '../semaphore/helpers/suite.ts'
import { until } from '../shared/until.ts'

/** Lets the thread that serves waits win what it can, while nothing is collected here. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

onEveryBackend(({ test, create, open, backend }) => {
  /** The fields that every message has. */
  const about = ({ name }: Semaphore, permit: boolean) => ({ name, key: undefined, backend, permit })

  test('tryWait that takes and post publish, tryWait in vain does not', t => {
    const semaphore = create(t, 1)
    const { events } = heardOf(t, semaphore)
    t.true(semaphore.tryWait())
    t.false(semaphore.tryWait())
    semaphore.post()
    semaphore.post(3)
    t.deepEqual(events, [
      { event: 'os-ipc:acquired', ...about(semaphore, false), wait: undefined, waited: 0 },
      { event: 'os-ipc:released', ...about(semaphore, false), count: 1, held: undefined },
      { event: 'os-ipc:released', ...about(semaphore, false), count: 3, held: undefined },
    ])
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

  test('a subscriber that throws breaks nothing but itself', async t => {
    const semaphore = create(t, 1)
    const throwing = child(t, 'diagnostics/throwing-subscriber.ts', { args: [backend, semaphore.name] })
    t.like(await throwing.next(), { taken: 3, refused: ['ETIMEDOUT', 'AbortError', 'ERR_CLOSED'] })
    const uncaught = (await throwing.next()) as string[]
    t.deepEqual([...new Set(uncaught)].sort(), ['acquired', 'failed', 'released', 'timeout', 'wait'])
    t.is((await throwing.exit).code, 0)
    t.is(unitsOf(semaphore), 1)
  })

  test('a worker publishes in its own thread, which alone hears it', async t => {
    const semaphore = create(t, 0)
    const worker = child(t, 'diagnostics/diagnostics-worker.ts', { args: [backend, semaphore.name] })
    t.deepEqual(await worker.next(), {
      inside: ['wait', 'acquired', 'released', 'acquired', 'timeout', 'released'],
      outside: ['released'],
    })
    t.is((await worker.exit).code, 0)
  })
})

onEveryTaker(({ test, create, method, backend, permit }) => {
  /** The fields that every message has. */
  const about = ({ name }: { readonly name: string }) => ({ name, key: undefined, backend, permit })

  test(`${method} that needs no waiting publishes no wait`, async t => {
    const { source, take } = create(t, 2)
    const { events } = heardOf(t, source)
    await take()
    await take({ timeout: 0 })
    const taken = { event: 'os-ipc:acquired', ...about(source), wait: undefined, waited: 0 }
    t.deepEqual(events, [taken, taken])
  })

  test(`${method} that waits publishes the wait, and the unit with the time that it took`, async t => {
    const { source, take, give } = create(t, 0)
    const { events } = heardOf(t, source)
    const taken = take()
    t.is(events.length, 1)
    await sleep(30)
    give()
    await taken
    t.deepEqual(
      events.map(({ event }) => event),
      ['os-ipc:wait', 'os-ipc:released', 'os-ipc:acquired'],
    )
    const [began, , ended] = events
    const { wait, waited } = endOf(ended)
    t.true(wait !== undefined && wait > 0)
    t.true(waited >= 29, String(waited))
    t.deepEqual(began, { event: 'os-ipc:wait', ...about(source), wait: wait as number })
    t.deepEqual(ended, { event: 'os-ipc:acquired', ...about(source), wait, waited })
  })

  test(`${method} that times out publishes it, with its error`, async t => {
    const { source, take } = create(t, 0)
    const { events, take: heard } = heardOf(t, source)
    const error = await t.throwsAsync(take({ timeout: 30 }), { code: 'ETIMEDOUT' })
    const { wait, waited } = endOf(events[1])
    t.true(waited >= 30, String(waited))
    t.like(events[0], { event: 'os-ipc:wait', wait })
    t.deepEqual(events[1], {
      event: 'os-ipc:timeout',
      ...about(source),
      wait,
      waited,
      error: errorOf(events[1]),
    })
    t.is(errorOf(events[1]), error)
    heard()

    const noTime = await t.throwsAsync(take({ timeout: 0 }), { code: 'ETIMEDOUT' })
    const [only] = events
    t.like(only, { event: 'os-ipc:timeout', permit, wait: undefined, waited: 0 })
    t.is(errorOf(only), noTime)
    t.is(events.length, 1)
  })

  test(`${method} that a signal ends publishes a timeout for AbortSignal.timeout, else a failure`, async t => {
    const { source, take } = create(t, 0)
    const { events, take: heard } = heardOf(t, source)
    await t.throwsAsync(take({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' })
    t.deepEqual(heard(), ['wait', 'timeout'])

    const controller = new AbortController()
    const aborted = take({ signal: controller.signal })
    const reason = new Error('no more')
    controller.abort(reason)
    t.like(events[1], { event: 'os-ipc:failed', permit, wait: endOf(events[0]).wait })
    t.is(errorOf(events[1]), reason)
    await t.throwsAsync(aborted, { is: reason })
    t.deepEqual(heard(), ['wait', 'failed'])

    await t.throwsAsync(take({ signal: controller.signal }), { is: reason })
    t.deepEqual(heard(), []) // it never began
  })

  test(`${method} that close ends publishes a failure`, async t => {
    const { source, take } = create(t, 0)
    const { events, take: heard } = heardOf(t, source)
    const waits = [take(), take()]
    source.close()
    t.like(errorOf(events[2]), { code: 'ERR_CLOSED' })
    t.deepEqual(heard(), ['wait', 'wait', 'failed', 'failed'])
    for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  })
  test('a subscriber that ends another wait finds no unit half way', async t => {
    const { source, take, give, free } = create(t, 0)
    const controllers = [new AbortController(), new AbortController(), new AbortController()]
    const waits = controllers.map(({ signal }) => take({ signal }))
    const { take: heard } = heardOf(t, source, ({ event }) => {
      if (event === 'os-ipc:acquired') for (const controller of controllers) controller.abort()
    })
    give()
    give()
    holdUp(100) // both are won before the first is told of
    const outcomes = await Promise.allSettled(waits)
    const taken = outcomes.filter(outcome => outcome.status === 'fulfilled')
    t.true(taken.length >= 1)
    await until('no unit is missing', () => free() + taken.length === 2)
    t.is(heard().filter(event => event === 'acquired').length, taken.length)
  })
})

requires(linux)('tryAcquire publishes, and release once, with the time that the permit was held', async t => {
  const limit = ownLimit(t, 1)
  const { events } = heardOf(t, limit)
  const permit = limit.tryAcquire()
  t.is(limit.tryAcquire(), null)
  await sleep(30)
  permit?.release()
  permit?.release()
  const held = heldOf(events[1])
  t.true(held >= 29, String(held))
  t.deepEqual(events, [
    { event: 'os-ipc:acquired', ...aboutLimit(limit), wait: undefined, waited: 0 },
    { event: 'os-ipc:released', ...aboutLimit(limit), count: 1, held },
  ])
})

requires(linux)('use publishes wait, acquired and released, also when its function throws', async t => {
  const limit = ownLimit(t, 1)
  const { take, events } = heardOf(t, limit)
  await t.throwsAsync(
    limit.use(() => {
      throw new Error('broken')
    }),
  )
  t.true(heldOf(events[1]) >= 0)
  t.deepEqual(take(), ['acquired', 'released'])

  const first = limit.use(() => sleep(20))
  t.is(await limit.use(() => 'second'), 'second')
  await first
  t.deepEqual(take(), ['acquired', 'wait', 'released', 'acquired', 'released'])
})

requires(linux)('a subscriber may close the limit, and the permit is released after it', async t => {
  const limit = ownLimit(t, 1)
  const { take } = heardOf(t, limit, ({ event }) => {
    if (event === 'os-ipc:acquired') limit.close()
  })
  const other = Limit.open(limit.name)
  t.teardown(() => other.close())
  const permit = await limit.acquire()
  await t.throwsAsync(limit.acquire(), { code: 'ERR_CLOSED' })
  t.is(freeOf(other), 0)
  permit.release()
  t.is(freeOf(other), 1)
  t.deepEqual(take(), ['acquired', 'released'])
})

requires(linux)('a subscriber that throws does not take a permit away', async t => {
  const limit = ownLimit(t, 1)
  const throwing = child(t, 'diagnostics/throwing-at-limit.ts', { args: [limit.name] })
  t.like(await throwing.next(), { taken: 3, refused: ['AbortError', 'ERR_CLOSED'] })
  const uncaught = (await throwing.next()) as string[]
  t.deepEqual([...new Set(uncaught)].sort(), ['acquired', 'failed', 'released', 'wait'])
  t.is((await throwing.exit).code, 0)
  t.is(freeOf(limit), 1)
})

requires(linux)('a resizing publishes nothing', async t => {
  const limit = ownLimit(t, 1)
  const permit = await limit.acquire()
  const { take } = heardOf(t, limit)
  await t.throwsAsync(limit.resize(0, { timeout: 10 }), { code: 'ETIMEDOUT' })
  const shrinking = limit.resize(0)
  permit.release()
  await shrinking
  t.deepEqual(take(), ['released'])
})

requires(linux)('unlink ends waits with a failure', async t => {
  const semaphore = Semaphore.create(uniqueName(t), { initial: 0 })
  t.teardown(() => semaphore.close())
  const { events, take } = heardOf(t, semaphore)
  const wait = semaphore.wait()
  semaphore.unlink()
  await t.throwsAsync(wait, { code: 'EIDRM' })
  t.like(errorOf(events[1]), { code: 'EIDRM' })
  t.deepEqual(take(), ['wait', 'failed'])
})

requires(linux)('a semaphore of a raw key is told by its key', t => {
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
        name: '',
        key,
        backend: 'sysv',
        permit: false,
        wait: undefined,
        waited: 0,
      },
    ],
  )
})

function aboutLimit({ name, engine }: Limit) {
  return { name, key: undefined, backend: engine, permit: true }
}

function endOf(event: Event | undefined): { wait: number | undefined; waited: number } {
  if (event === undefined || !('wait' in event)) throw new Error(`no end of a wait: ${event?.event}`)
  return { wait: event.wait, waited: 'waited' in event ? event.waited : Number.NaN }
}

function heldOf(event: Event | undefined): number {
  if (event?.event !== 'os-ipc:released' || event.held === undefined) throw new Error('no time was held')
  return event.held
}

function errorOf(event: Event | undefined): unknown {
  return event !== undefined && 'error' in event ? event.error : undefined
}
