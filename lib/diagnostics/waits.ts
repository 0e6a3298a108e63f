import { channel } from 'node:diagnostics_channel'

import { sharedByCopies } from '../copies.js'
import { IpcError } from '../errors.js'

/** A wait, as subscribers hear of it. */
export interface ObservedWait {
  /** No other wait of this thread has it. */
  readonly number: number
  /** When it began, by the monotonic clock. */
  readonly start: number
}

/** Counts the waits of this thread, of whichever copy of this package: all of them publish to the same channels. */
const waits = sharedByCopies(channel('os-ipc:wait'), 'waits', { last: 0 })

/** The number of a wait of this thread, for a semaphore or a lock. */
export function nextWait(): number {
  waits.last += 1
  return waits.last
}

/** Our own timeout, or that of `AbortSignal.timeout()`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof IpcError
    ? error.code === 'ETIMEDOUT'
    : error instanceof DOMException && error.name === 'TimeoutError'
}
