import { channel } from 'node:diagnostics_channel'

import { isTimeout, nextWait } from './semaphores.js'
import { performance } from '../waiting/clock.js'
import type {
  LockAcquiredMessage,
  LockFailedMessage,
  LockMessage,
  LockReleasedMessage,
  LockWaitMessage,
} from './lock-messages.js'
import type { LockMode } from '../lock/types.js'

const waiting = channel('os-ipc:lock:wait')
const acquired = channel('os-ipc:lock:acquired')
const released = channel('os-ipc:lock:released')
const timeout = channel('os-ipc:lock:timeout')
const failed = channel('os-ipc:lock:failed')

/** A request that has to wait, from its beginning to its end. */
export class ObservedLockWait {
  readonly #name: string
  readonly #mode: LockMode
  readonly #number = nextWait()
  readonly #start = performance.now()

  constructor({ name, mode }: LockMessage) {
    this.#name = name
    this.#mode = mode
  }

  /** It waits now, and can be ended: a subscriber may do so. */
  began(): void {
    if (!waiting.hasSubscribers) return
    waiting.publish({
      name: this.#name,
      mode: this.#mode,
      wait: this.#number,
    } satisfies LockWaitMessage)
  }

  /** The lock was granted. */
  succeeded(): void {
    if (!acquired.hasSubscribers) return
    acquired.publish({
      name: this.#name,
      mode: this.#mode,
      wait: this.#number,
      waited: performance.now() - this.#start,
    } satisfies LockAcquiredMessage)
  }

  /** It ended without the lock. */
  failed(error: unknown): void {
    const ended = isTimeout(error) ? timeout : failed
    if (!ended.hasSubscribers) return
    ended.publish({
      name: this.#name,
      mode: this.#mode,
      wait: this.#number,
      waited: performance.now() - this.#start,
      error,
    } satisfies LockFailedMessage)
  }
}

/** A lock was free. */
export function lockedAtOnce({ name, mode }: LockMessage): void {
  if (acquired.hasSubscribers)
    acquired.publish({ name, mode, wait: undefined, waited: 0 } satisfies LockAcquiredMessage)
}

/** The time at which a lock was granted, if anybody wants to hear how long it was held. */
export function lockedSince(): number | undefined {
  return released.hasSubscribers ? performance.now() : undefined
}

/** A lock was given back. */
export function unlocked({ name, mode }: LockMessage, since: number | undefined): void {
  if (!released.hasSubscribers) return
  const held = since === undefined ? undefined : performance.now() - since
  released.publish({ name, mode, held } satisfies LockReleasedMessage)
}
