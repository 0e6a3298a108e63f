// What a wait publishes, be it for a unit or for a permit.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import type { WaitOptions } from '../../../index.js'
import { type Event, heardOf } from './heard.ts'

/** Something that is waited for. */
export interface Taken {
  readonly name: string
  readonly backend: 'sysv' | 'posix' | 'windows' | 'ledger'
  take(options?: WaitOptions): Promise<unknown>
  /** Gives one, through another handle. */
  give(): void
  close(): void
}

export interface Subject {
  readonly method: 'wait' | 'acquire'
  readonly permit: boolean
  test(title: string, implementation: (t: ExecutionContext) => void | Promise<void>): void
  /** One with so many units. */
  create(t: ExecutionContext, units: number): Taken
}

/** Declares the tests. */
export function declareWaits({ method, permit, test, create }: Subject): void {
  const about = ({ name, backend }: Taken) => ({ name, key: undefined, backend, permit })

  test(`${method} that needs no waiting publishes no wait`, async t => {
    const taken = create(t, 2)
    const { events } = heardOf(t, taken)
    await taken.take()
    await taken.take({ timeout: 0 })
    const one = { event: 'os-ipc:acquired', ...about(taken), wait: undefined, waited: 0 }
    t.deepEqual(events, [one, one])
  })

  test(`${method} that waits publishes the wait, and the unit with the time that it took`, async t => {
    const taken = create(t, 0)
    const { events } = heardOf(t, taken)
    const waiting = taken.take()
    t.is(events.length, 1)
    await sleep(30)
    taken.give()
    await waiting
    t.deepEqual(
      events.map(({ event }) => event),
      ['os-ipc:wait', 'os-ipc:released', 'os-ipc:acquired'],
    )
    const [began, , ended] = events
    const { wait, waited } = endOf(ended)
    t.true(wait !== undefined && wait > 0)
    t.true(waited >= 29, String(waited))
    t.deepEqual(began, { event: 'os-ipc:wait', ...about(taken), wait: wait as number })
    t.deepEqual(ended, { event: 'os-ipc:acquired', ...about(taken), wait, waited })
  })

  test(`${method} that times out publishes it, with its error`, async t => {
    const taken = create(t, 0)
    const { events, take } = heardOf(t, taken)
    const error = await t.throwsAsync(taken.take({ timeout: 30 }), { code: 'ETIMEDOUT' })
    const { wait, waited } = endOf(events[1])
    t.true(waited >= 30, String(waited))
    t.like(events[0], { event: 'os-ipc:wait', wait })
    t.deepEqual(events[1], {
      event: 'os-ipc:timeout',
      ...about(taken),
      wait,
      waited,
      error: errorOf(events[1]),
    })
    t.is(errorOf(events[1]), error)
    take()

    const noTime = await t.throwsAsync(taken.take({ timeout: 0 }), { code: 'ETIMEDOUT' })
    const [only] = events
    t.like(only, { event: 'os-ipc:timeout', permit, wait: undefined, waited: 0 })
    t.is(errorOf(only), noTime)
    t.is(events.length, 1)
  })

  test(`${method} that a signal ends publishes a timeout for AbortSignal.timeout, else a failure`, async t => {
    const taken = create(t, 0)
    const { events, take } = heardOf(t, taken)
    await t.throwsAsync(taken.take({ signal: AbortSignal.timeout(10) }), { name: 'TimeoutError' })
    t.deepEqual(take(), ['wait', 'timeout'])

    const controller = new AbortController()
    const aborted = taken.take({ signal: controller.signal })
    const reason = new Error('no more')
    controller.abort(reason)
    t.like(events[1], { event: 'os-ipc:failed', permit, wait: endOf(events[0]).wait })
    t.is(errorOf(events[1]), reason)
    await t.throwsAsync(aborted, { is: reason })
    t.deepEqual(take(), ['wait', 'failed'])

    await t.throwsAsync(taken.take({ signal: controller.signal }), { is: reason })
    t.deepEqual(take(), []) // it never began
  })

  test(`${method} that close ends publishes a failure`, async t => {
    const taken = create(t, 0)
    const { events, take } = heardOf(t, taken)
    const waits = [taken.take(), taken.take()]
    taken.close()
    t.like(errorOf(events[2]), { code: 'ERR_CLOSED' })
    t.deepEqual(take(), ['wait', 'wait', 'failed', 'failed'])
    for (const wait of waits) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
  })
}

export function endOf(event: Event | undefined): { wait: number | undefined; waited: number } {
  if (event === undefined || !('wait' in event)) throw new Error(`no end of a wait: ${event?.event}`)
  return { wait: event.wait, waited: 'waited' in event ? event.waited : Number.NaN }
}

export function errorOf(event: Event | undefined): unknown {
  return event !== undefined && 'error' in event ? event.error : undefined
}
