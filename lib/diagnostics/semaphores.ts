import { type Channel, channel } from 'node:diagnostics_channel'

import type { AcquiredMessage, FailedMessage, ReleasedMessage, WaitMessage } from './semaphore-messages.js'
import { isTimeout, type ObservedWait } from './waits.js'
import type { Handle } from '../waiting/handle.js'
import { performance } from '../waiting/clock.js'

// Kept for the life of the process: while a channel has no subscriber, a call then costs only one `hasSubscribers`.
const waiting = channel('os-ipc:wait')
const acquired = channel('os-ipc:acquired')
const released = channel('os-ipc:released')
const timeout = channel('os-ipc:timeout')
const failed = channel('os-ipc:failed')

/** A wait that could not succeed at once waits now. */
export function waitBegan(handle: Handle, { number }: ObservedWait): void {
  if (!waiting.hasSubscribers) return
  const { name, key, backend, permit } = handle
  waiting.publish({ name, key, backend, permit, wait: number } satisfies WaitMessage)
}

/** Its unit came. */
export function waitSucceeded(handle: Handle, { number, start }: ObservedWait): void {
  if (acquired.hasSubscribers) publishAcquired(handle, number, performance.now() - start)
}

/** It ended without a unit. */
export function waitFailed(handle: Handle, { number, start }: ObservedWait, error: unknown): void {
  const ended = isTimeout(error) ? timeout : failed
  if (!ended.hasSubscribers) return
  publishFailed(ended, handle, number, performance.now() - start, error)
}

/** Whether a channel of waits has a subscriber. */
export function waitsObserved(): boolean {
  return waiting.hasSubscribers || acquired.hasSubscribers || timeout.hasSubscribers || failed.hasSubscribers
}

/** A unit or permit was there at once. */
export function tookAtOnce(handle: Handle): void {
  if (acquired.hasSubscribers) publishAcquired(handle, undefined, 0)
}

/** None was there, and the timeout was 0. */
export function hadNoTime(handle: Handle, error: unknown): void {
  if (timeout.hasSubscribers) publishFailed(timeout, handle, undefined, 0, error)
}

/** Units were posted. */
export function posted(handle: Handle, count: number): void {
  if (released.hasSubscribers) publishReleased(handle, count, undefined)
}

/** The time at which a permit was taken, if a subscriber wants to know how long it is held. */
export function heldSince(): number | undefined {
  return released.hasSubscribers ? performance.now() : undefined
}

/** A permit was released. */
export function gaveBack(handle: Handle, since: number | undefined): void {
  if (!released.hasSubscribers) return
  publishReleased(handle, 1, since === undefined ? undefined : performance.now() - since)
}

// Every message is written out: one made with `...` takes 200 times as long.

function publishAcquired(handle: Handle, wait: number | undefined, waited: number): void {
  const { name, key, backend, permit } = handle
  acquired.publish({ name, key, backend, permit, wait, waited } satisfies AcquiredMessage)
}

function publishFailed(
  channel: Channel,
  handle: Handle,
  wait: number | undefined,
  waited: number,
  error: unknown,
): void {
  const { name, key, backend, permit } = handle
  channel.publish({ name, key, backend, permit, wait, waited, error } satisfies FailedMessage)
}

function publishReleased(handle: Handle, count: number, held: number | undefined): void {
  const { name, key, backend, permit } = handle
  released.publish({ name, key, backend, permit, count, held } satisfies ReleasedMessage)
}
