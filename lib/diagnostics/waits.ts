import { channel } from 'node:diagnostics_channel'

import { sharedByCopies } from '../copies.js'
import { IpcError } from '../errors.js'

/** The data of a wait that subscribers receive. */
export interface ObservedWait {
  /** Unique among the waits of this thread. */
  readonly number: number
  /** The time of its start, on the monotonic clock. */
  readonly start: number
}

/** Counts the waits of this thread across all copies of this package: they publish to the same channels. */
const waits = sharedByCopies(channel('os-ipc:wait'), 'waits', { last: 0 })

/** The number of a wait of this thread, for a semaphore or a lock. */
export function nextWait(): number {
  waits.last += 1
  return waits.last
}

/** Whether an error is a timeout of this package, or of `AbortSignal.timeout()`. */
export function isTimeout(error: unknown): boolean {
  return error instanceof IpcError
    ? error.code === 'ETIMEDOUT'
    : error instanceof DOMException && error.name === 'TimeoutError'
}
