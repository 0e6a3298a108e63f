// What limits publish to node:diagnostics_channel.

import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { Limit } from '../../index.js'
import { child } from '../shared/child.ts'
import { freeOf, type NamedLimit, ownLimit } from '../limit/helpers/own.ts'
import { engines } from '../shared/engines.ts'
import { until } from '../shared/until.ts'
import { type Event, heardOf } from './helpers/heard.ts'
import { declareWaits, endOf, errorOf } from './helpers/waits.ts'

/** Lets the thread that serves waits win what it can, while nothing is collected here. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

/** The engine of a limit for which none is named. */
const [backend = 'sysv'] = engines

/** What a test listens to. */
const heard = (limit: NamedLimit) => ({ name: limit.name, backend })

/** The fields that every message has. */
const about = ({ name }: NamedLimit) => ({ name, key: undefined, backend, permit: true })

declareWaits({
  method: 'acquire',
  permit: true,
  test,
  create: (t, units) => {
    const limit = ownLimit(t, Math.max(units, 1))
    const other = Limit.open(limit.name)
    const held = units === 0 ? other.tryAcquire() : null
    return {
      name: limit.name,
      backend,
      take: options => limit.acquire(options),
      give: () => held?.release(),
      close: () => limit.close(),
    }
  },
})

test('tryAcquire publishes, and release once, with the time that the permit was held', async t => {
  const limit = ownLimit(t, 1)
  const { events } = heardOf(t, heard(limit))
  const permit = limit.tryAcquire()
  t.is(limit.tryAcquire(), null)
  await sleep(30)
  permit?.release()
  permit?.release()
  const held = heldOf(events[1])
  t.true(held >= 29, String(held))
  t.deepEqual(events, [
    { event: 'os-ipc:acquired', ...about(limit), wait: undefined, waited: 0 },
    { event: 'os-ipc:released', ...about(limit), count: 1, held },
  ])
})

test('acquireSync publishes as acquire does', t => {
  const limit = ownLimit(t, 1)
  const { events, take } = heardOf(t, heard(limit))
  const permit = limit.acquireSync()
  t.like(events[0], { event: 'os-ipc:acquired', permit: true, wait: undefined, waited: 0 })
  t.deepEqual(take(), ['acquired'])
  const error = t.throws(() => limit.acquireSync({ timeout: 20 }), { code: 'ETIMEDOUT' })
  const { wait, waited } = endOf(events[1])
  t.true(waited >= 20, String(waited))
  t.like(events[0], { event: 'os-ipc:wait', permit: true, wait })
  t.is(errorOf(events[1]), error)
  t.deepEqual(take(), ['wait', 'timeout'])
  permit.release()
  t.deepEqual(take(), ['released'])
})

test('use publishes wait, acquired and released, also when its function throws', async t => {
  const limit = ownLimit(t, 1)
  const { take, events } = heardOf(t, heard(limit))
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

test('resize publishes nothing', async t => {
  const limit = ownLimit(t, 3)
  const permit = limit.tryAcquire()
  const { take } = heardOf(t, heard(limit))
  await t.throwsAsync(limit.resize(0, { timeout: 10 }), { code: 'ETIMEDOUT' })
  const resizing = limit.resize(0)
  permit?.release()
  await resizing
  t.deepEqual(take(), ['released'])
})

test('a subscriber that ends another wait finds no permit half way', async t => {
  const limit = ownLimit(t, 2)
  const held = [limit.tryAcquire(), limit.tryAcquire()]
  const controllers = [new AbortController(), new AbortController(), new AbortController()]
  const waits = controllers.map(({ signal }) => limit.acquire({ signal }))
  const { take } = heardOf(t, heard(limit), ({ event }) => {
    if (event === 'os-ipc:acquired') for (const controller of controllers) controller.abort()
  })
  for (const permit of held) permit?.release()
  holdUp(100) // both are won before the first is told of
  const outcomes = await Promise.allSettled(waits)
  const permits = outcomes.flatMap(outcome => (outcome.status === 'fulfilled' ? [outcome.value] : []))
  t.true(permits.length >= 1)
  for (const permit of permits) permit.release()
  await until('no permit is missing', () => freeOf(limit) === 2)
  t.is(take().filter(event => event === 'acquired').length, permits.length)
})

test('a subscriber may close the limit, and the permit stays held', async t => {
  const limit = ownLimit(t, 1)
  const { take } = heardOf(t, heard(limit), ({ event }) => {
    if (event === 'os-ipc:acquired') limit.close()
  })
  const other = Limit.open(limit.name)
  const permit = await limit.acquire()
  await t.throwsAsync(limit.acquire(), { code: 'ERR_CLOSED' })
  t.is(freeOf(other), 0)
  permit.release()
  t.is(freeOf(other), 1)
  t.deepEqual(take(), ['acquired', 'released'])
})

test('a subscriber that throws breaks nothing but itself', async t => {
  const limit = ownLimit(t, 1)
  const throwing = child(t, 'diagnostics/throwing-at-permits.ts', { args: [limit.name] })
  t.like(await throwing.next(), { taken: 4, refused: ['ETIMEDOUT', 'AbortError', 'ERR_CLOSED'] })
  const uncaught = (await throwing.next()) as string[]
  t.deepEqual([...new Set(uncaught)].sort(), ['acquired', 'failed', 'released', 'timeout', 'wait'])
  t.is((await throwing.exit).code, 0)
  t.is(freeOf(limit), 1)
})

function heldOf(event: Event | undefined): number {
  if (event?.event !== 'os-ipc:released' || event.held === undefined) throw new Error('no time was held')
  return event.held
}
