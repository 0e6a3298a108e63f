import { channel } from 'node:diagnostics_channel'

import type {
  AcquiredMessage,
  FailedMessage,
  ReleasedMessage,
  SemaphoreMessage,
  WaitMessage,
} from './diagnostics-messages.js'
import { IpcError } from './errors.js'
import type { Handle } from './handle.js'

// Kept for good: `hasSubscribers` of a channel in hand is all that a call costs while nobody listens.
const waiting = channel('os-ipc:wait')
const acquired = channel('os-ipc:acquired')
const released = channel('os-ipc:released')
const timeout = channel('os-ipc:timeout')
const failed = channel('os-ipc:failed')

let waits = 0

/** A wait that could not succeed at once, from its beginning to its end. */
export class ObservedWait {
  readonly handle: Handle
  readonly #permit: boolean
  readonly #number = ++waits
  readonly #start = performance.now()

  constructor(handle: Handle, permit: boolean) {
    this.handle = handle
    this.#permit = permit
  }

  /** It waits now, and can be ended: a subscriber may do so. */
  began(): void {
    if (waiting.hasSubscribers) {
      waiting.publish({ ...about(this.handle, this.#permit), wait: this.#number } satisfies WaitMessage)
    }
  }

  /** The unit came. */
  succeeded(): void {
    if (acquired.hasSubscribers) acquired.publish(this.#end())
  }

  /** It ended without a unit. */
  failed(error: unknown): void {
    const ended = isTimeout(error) ? timeout : failed
    if (ended.hasSubscribers) ended.publish({ ...this.#end(), error } satisfies FailedMessage)
  }

  #end(): AcquiredMessage {
    const waited = performance.now() - this.#start
    return { ...about(this.handle, this.#permit), wait: this.#number, waited }
  }
}

/** Whether anybody wants to hear of waits. */
export function waitsObserved(): boolean {
  return waiting.hasSubscribers || acquired.hasSubscribers || timeout.hasSubscribers || failed.hasSubscribers
}

/** A unit or permit was there at once. */
export function tookAtOnce(handle: Handle, permit: boolean): void {
  if (acquired.hasSubscribers) {
    acquired.publish({ ...about(handle, permit), wait: undefined, waited: 0 } satisfies AcquiredMessage)
  }
}

/** None was there, and the caller had no time. */
export function hadNoTime(handle: Handle, permit: boolean, error: unknown): void {
  if (timeout.hasSubscribers) {
    timeout.publish({ ...about(handle, permit), wait: undefined, waited: 0, error } satisfies FailedMessage)
  }
}

/** Units were posted. */
export function posted(handle: Handle, count: number): void {
  if (released.hasSubscribers) {
    released.publish({ ...about(handle, false), count, held: undefined } satisfies ReleasedMessage)
  }
}

/** The time at which a permit was taken, if anybody wants to hear how long it was held. */
export function heldSince(): number | undefined {
  return released.hasSubscribers ? performance.now() : undefined
}

/** A permit was given back. */
export function gaveBack(handle: Handle, since: number | undefined): void {
  if (released.hasSubscribers) {
    const held = since === undefined ? undefined : performance.now() - since
    released.publish({ ...about(handle, true), count: 1, held } satisfies ReleasedMessage)
  }
}

function about({ name, key, backend }: Handle, permit: boolean): SemaphoreMessage {
  return { name, key, backend, permit }
}

/** Our own timeout, or that of `AbortSignal.timeout()`. */
function isTimeout(error: unknown): boolean {
  return error instanceof IpcError
    ? error.code === 'ETIMEDOUT'
    : error instanceof DOMException && error.name === 'TimeoutError'
}
