// The events that locks publish to node:diagnostics_channel.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import type { LockDiagnosticsMessages } from '../../index.js'
import { hold } from '../lock/helpers/hold.ts'
import { isFree, onEveryEngine } from '../lock/helpers/locks.ts'
import { until } from '../shared/until.ts'

type Event = {
  [Channel in keyof LockDiagnosticsMessages]: { event: Channel } & LockDiagnosticsMessages[Channel]
}[keyof LockDiagnosticsMessages]

const CHANNELS = [
  'os-ipc:lock:wait',
  'os-ipc:lock:acquired',
  'os-ipc:lock:released',
  'os-ipc:lock:timeout',
  'os-ipc:lock:failed',
] as const satisfies (keyof LockDiagnosticsMessages)[]

/** Keeps the events of the lock with this name; `also` gets each event at once. */
function heardOf(t: ExecutionContext, name: string, also: (event: Event) => void = () => {}) {
  const events: Event[] = []
  const listener = (message: unknown, channel: string | symbol): void => {
    const event = { event: channel, ...(message as object) } as Event
    if (event.name !== name) return
    events.push(event)
    also(event)
  }
  for (const channel of CHANNELS) subscribe(channel, listener)
  t.teardown(() => {
    for (const channel of CHANNELS) unsubscribe(channel, listener)
  })
  return { events, take: () => events.splice(0).map(({ event }) => event.slice('os-ipc:lock:'.length)) }
}

onEveryEngine(({ test, manager, lockName }) => {
  test('a free lock publishes no wait, and the time for which it was held', async t => {
    const name = lockName(t)
    const { events } = heardOf(t, name)
    await manager.request(name, { mode: 'shared' }, () => sleep(30))
    const [, released] = events
    if (released?.event !== 'os-ipc:lock:released') return t.fail(released?.event)
    const { held } = released
    t.true((held ?? 0) >= 29, String(held))
    t.deepEqual(events, [
      { event: 'os-ipc:lock:acquired', name, mode: 'shared', wait: undefined, waited: 0 },
      { event: 'os-ipc:lock:released', name, mode: 'shared', held },
    ])
  })

  test('a request that waits publishes the wait, and the grant with the time that it took', async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const { events, take } = heardOf(t, name)
    const waiting = manager.request(name, () =>
      t.is(events.length, 3, 'the event comes before the callback runs'),
    )
    const [began] = events
    if (began?.event !== 'os-ipc:lock:wait') return t.fail(began?.event)
    const { wait } = began
    t.true(wait > 0)
    t.deepEqual(began, { event: 'os-ipc:lock:wait', name, mode: 'exclusive', wait })
    await sleep(30)
    await release()
    await waiting
    t.like(events[1], { event: 'os-ipc:lock:released', mode: 'shared' })
    t.like(events[2], { event: 'os-ipc:lock:acquired', mode: 'exclusive', wait })
    const acquired = events[2]
    if (acquired?.event !== 'os-ipc:lock:acquired') return t.fail(acquired?.event)
    t.true(acquired.waited >= 29, String(acquired.waited))
    t.deepEqual(take(), ['wait', 'released', 'acquired', 'released'])
  })

  test('a wait that a signal ends publishes a timeout for AbortSignal.timeout, otherwise a failure', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const { events, take } = heardOf(t, name)
    await t.throwsAsync(
      manager.request(name, { signal: AbortSignal.timeout(10) }, () => {}),
      { name: 'TimeoutError' },
    )
    t.deepEqual(take(), ['wait', 'timeout'])

    const controller = new AbortController()
    const request = manager.request(name, { signal: controller.signal }, () => {})
    const reason = new Error('no more')
    controller.abort(reason)
    const [began, failed] = events
    if (began?.event !== 'os-ipc:lock:wait') return t.fail(began?.event)
    t.like(failed, { event: 'os-ipc:lock:failed', wait: began.wait, error: reason })
    await t.throwsAsync(request, { is: reason })
    t.deepEqual(take(), ['wait', 'failed'])

    await t.throwsAsync(
      manager.request(name, { signal: controller.signal }, () => {}),
      { is: reason },
    )
    t.is(await manager.request(name, { ifAvailable: true }, lock => lock), null)
    t.deepEqual(take(), []) // nobody waited
    await release()
  })

  test('a lock whose callback throws, or does not run, is published as released', async t => {
    const name = lockName(t)
    const { take } = heardOf(t, name)
    await t.throwsAsync(
      manager.request(name, () => Promise.reject(new Error('broken'))),
      {
        message: 'broken',
      },
    )
    t.deepEqual(take(), ['acquired', 'released'])
    const controller = new AbortController()
    const request = manager.request(name, { signal: controller.signal }, () => t.fail('it ran'))
    controller.abort()
    await t.throwsAsync(request, { name: 'AbortError' })
    t.deepEqual(take(), ['acquired', 'released'])
  })

  test('a subscriber may end the request in the event of its wait', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const controller = new AbortController()
    const { take } = heardOf(t, name, ({ event }) => {
      if (event === 'os-ipc:lock:wait') controller.abort()
    })
    await t.throwsAsync(
      manager.request(name, { signal: controller.signal }, () => {}),
      { name: 'AbortError' },
    )
    t.deepEqual(take(), ['wait', 'failed'])
    await release()
    await until('the lock is free', () => isFree(manager, name))
  })
})
