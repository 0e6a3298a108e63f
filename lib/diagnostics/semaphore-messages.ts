import type { LimitEngine } from '../limit/engine.js'
import type { Backend } from '../options.js'

/** The fields of every event of a semaphore or a limit. */
export interface SemaphoreMessage {
  /** The name of the semaphore or limit with its leading slash; `undefined` for a raw System V key. */
  name: string | undefined
  /** The raw System V key that it was opened with; `undefined` for a name. */
  key: number | undefined
  /** The backend of a semaphore, or the engine of a limit. */
  backend: Backend | LimitEngine
  /** True for a permit of a limit, false for a unit of a semaphore. */
  permit: boolean
}

/** `os-ipc:wait`: a call has to wait. */
export interface WaitMessage extends SemaphoreMessage {
  /** The number of this wait, counted from 1 in each thread. The event that ends the wait has the same number. */
  wait: number
}

/** `os-ipc:acquired`: a unit or permit was taken. */
export interface AcquiredMessage extends SemaphoreMessage {
  /** The number of the wait that this ends; `undefined` when the unit was available at once. */
  wait: number | undefined
  /** Milliseconds that the call waited; 0 when the unit was available at once. */
  waited: number
}

/** `os-ipc:timeout` and `os-ipc:failed`: a wait ended without a unit. */
export interface FailedMessage extends SemaphoreMessage {
  /** The number of the wait that this ends; `undefined` for `timeout: 0`, which does not wait. */
  wait: number | undefined
  /** Milliseconds that the call waited. */
  waited: number
  /** The error with which the wait rejects, or which it throws. */
  error: unknown
}

/** `os-ipc:released`: a permit was given back, or units were posted. */
export interface ReleasedMessage extends SemaphoreMessage {
  /** The number: 1 for a permit, the argument of `post` for units. */
  count: number
  /** Milliseconds that the permit was held; `undefined` for units, and when the channel had no subscriber at the time of the grant. */
  held: number | undefined
}

/** The messages of the channels of `node:diagnostics_channel` that semaphores and limits publish to. */
export interface DiagnosticsMessages {
  'os-ipc:wait': WaitMessage
  'os-ipc:acquired': AcquiredMessage
  'os-ipc:released': ReleasedMessage
  'os-ipc:timeout': FailedMessage
  'os-ipc:failed': FailedMessage
}
