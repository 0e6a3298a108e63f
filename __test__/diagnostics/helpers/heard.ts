import { subscribe, unsubscribe } from 'node:diagnostics_channel'

import type { DiagnosticsMessages } from '../../../index.js'
import type { Teardown } from '../../shared/names.ts'

export type Event = {
  [Channel in keyof DiagnosticsMessages]: { event: Channel } & DiagnosticsMessages[Channel]
}[keyof DiagnosticsMessages]

export const CHANNELS = [
  'os-ipc:wait',
  'os-ipc:acquired',
  'os-ipc:released',
  'os-ipc:timeout',
  'os-ipc:failed',
] as const satisfies (keyof DiagnosticsMessages)[]

/** The events of a semaphore until the test ends, or until the listener stops. */
export interface Heard {
  readonly events: readonly Event[]
  /** Returns the channels of the events so far, without `os-ipc:`, and forgets them. */
  take(): string[]
  stop(): void
}

/** Subscribes to every channel, and keeps the events of this semaphore. `also` gets each event at once. */
export function heardOf(
  t: Teardown,
  { name, backend }: Pick<Event, 'name' | 'backend'>,
  also: (event: Event) => void = () => {},
): Heard {
  const events: Event[] = []
  const listener = (message: unknown, channel: string | symbol): void => {
    const event = { event: channel, ...(message as object) } as Event
    if (event.name !== name || event.backend !== backend) return
    events.push(event)
    also(event)
  }
  for (const channel of CHANNELS) subscribe(channel, listener)
  const stop = (): void => {
    for (const channel of CHANNELS) unsubscribe(channel, listener)
  }
  t.teardown(stop)
  return { events, stop, take: () => events.splice(0).map(({ event }) => event.slice('os-ipc:'.length)) }
}
