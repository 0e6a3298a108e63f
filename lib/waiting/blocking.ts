import {
  hadNoTime,
  tookAtOnce,
  waitBegan,
  waitFailed,
  waitsObserved,
  waitSucceeded,
} from '../diagnostics/semaphores.js'
import { nextWait } from '../diagnostics/waits.js'
import { performance } from './clock.js'
import { checked } from '../errors.js'
import type { Handle } from './handle.js'
import { isMainThread } from './main-thread.js'
import { native } from '../addon/native.js'
import { arrive, transit } from './transit.js'

/** The most milliseconds that a worker blocks at a time: its termination takes effect between two of these slices. */
const WORKER_SLICE = 1000

/**
 * Takes a unit or a permit, and blocks this thread until one is available.
 *
 * @throws {IpcError} `ETIMEDOUT` after `timeout` milliseconds.
 */
export function takeSync(handle: Handle, timeout: number | undefined): void {
  if (waitsObserved()) observe(handle, timeout)
  else block(handle, timeout)
}

/** The same, with events for subscribers. */
function observe(handle: Handle, timeout: number | undefined): void {
  const taken = waitSync(handle)(handle.use(), 0)
  if (taken === true) {
    if (handle.permit) handle.permits += 1
    try {
      tookAtOnce(handle)
      arrive()
    } catch {
      if (transit !== undefined) transit[0] = 0
    } // The stack has no room to tell subscribers. The unit is taken all the same.
    return
  }
  checked(taken)
  if (timeout === 0) {
    const error = handle.timedOut()
    hadNoTime(handle, error)
    throw error
  }
  const wait = { number: nextWait(), start: performance.now() }
  waitBegan(handle, wait)
  try {
    block(handle, timeout)
  } catch (error) {
    waitFailed(handle, wait, error)
    throw error
  }
  try {
    waitSucceeded(handle, wait)
  } catch {} // As above.
}

function block(handle: Handle, timeout: number | undefined): void {
  const number = handle.use()
  const wait = waitSync(handle)
  if (isMainThread) {
    const taken = wait(number, timeout)
    if (taken === true) {
      if (handle.permit) handle.permits += 1
      return
    }
    checked(taken)
    throw handle.timedOut()
  }
  const deadline = timeout === undefined ? Number.POSITIVE_INFINITY : performance.now() + timeout
  for (;;) {
    const left = Math.max(deadline - performance.now(), 0)
    const taken = wait(number, Math.min(left, WORKER_SLICE))
    if (taken === true) {
      if (handle.permit) handle.permits += 1
      try {
        arrive()
      } catch {
        if (transit !== undefined) transit[0] = 0
      } // As above.
      return
    }
    checked(taken)
    if (left <= WORKER_SLICE && performance.now() >= deadline) throw handle.timedOut()
  }
}

/** The addon's blocking call for this kind of handle. */
function waitSync(handle: Handle) {
  return handle.permit ? native.limitAcquireSync : native.semaphoreWaitSync
}
