import { channel } from 'node:diagnostics_channel'

import { isTimeout, type ObservedWait } from './waits.js'
import { performance } from '../waiting/clock.js'
import type {
  LockAcquiredMessage,
  LockFailedMessage,
  LockMessage,
  LockReleasedMessage,
  LockWaitMessage,
} from './lock-messages.js'

const waiting = channel('os-ipc:lock:wait')
const acquired = channel('os-ipc:lock:acquired')
const released = channel('os-ipc:lock:released')
const timeout = channel('os-ipc:lock:timeout')
const failed = channel('os-ipc:lock:failed')

/** A request has begun to wait. */
export function requestBegan({ name, mode }: LockMessage, { number }: ObservedWait): void {
  if (!waiting.hasSubscribers) return
  waiting.publish({ name, mode, wait: number } satisfies LockWaitMessage)
}

/** The lock of a request was granted. */
export function requestSucceeded({ name, mode }: LockMessage, { number, start }: ObservedWait): void {
  if (!acquired.hasSubscribers) return
  const waited = performance.now() - start
  acquired.publish({ name, mode, wait: number, waited } satisfies LockAcquiredMessage)
}

/** A request ended without the lock. */
export function requestFailed(
  { name, mode }: LockMessage,
  { number, start }: ObservedWait,
  error: unknown,
): void {
  const ended = isTimeout(error) ? timeout : failed
  if (!ended.hasSubscribers) return
  const waited = performance.now() - start
  ended.publish({ name, mode, wait: number, waited, error } satisfies LockFailedMessage)
}

/** A request with the timeout 0 did not get the lock. */
export function hadNoTimeForLock({ name, mode }: LockMessage, error: unknown): void {
  if (!timeout.hasSubscribers) return
  timeout.publish({ name, mode, wait: undefined, waited: 0, error } satisfies LockFailedMessage)
}

/** A lock was granted at once. */
export function lockedAtOnce({ name, mode }: LockMessage): void {
  if (acquired.hasSubscribers)
    acquired.publish({ name, mode, wait: undefined, waited: 0 } satisfies LockAcquiredMessage)
}

/** The time at which a lock was granted, if a subscriber wants to know how long it is held. */
export function lockedSince(): number | undefined {
  return released.hasSubscribers ? performance.now() : undefined
}

/** A lock was released. */
export function unlocked({ name, mode }: LockMessage, since: number | undefined): void {
  if (!released.hasSubscribers) return
  const held = since === undefined ? undefined : performance.now() - since
  released.publish({ name, mode, held } satisfies LockReleasedMessage)
}
