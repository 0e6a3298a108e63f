import type { Backend } from '../options.js'

/** What every event of a semaphore says. */
export interface SemaphoreMessage {
  /** The semaphore's name with its leading slash; `undefined` for a raw System V key. */
  name: string | undefined
  /** The raw System V key that it was opened with; `undefined` for a name. */
  key: number | undefined
  /** Which of the platform's two kinds it is. */
  backend: Backend
  /** True for a permit (`acquire`, `tryAcquire`, `use`), false for a raw unit (`wait`, `tryWait`, `waitSync`, `post`). */
  permit: boolean
}

/** `os-ipc:wait`: somebody has to wait. */
export interface WaitMessage extends SemaphoreMessage {
  /** The number of this wait, from 1 on in each thread; its end has the same one. */
  wait: number
}

/** `os-ipc:acquired`: a unit or permit was taken. */
export interface AcquiredMessage extends SemaphoreMessage {
  /** The number of the wait that this ends; `undefined` when the unit was there at once. */
  wait: number | undefined
  /** Milliseconds that it was waited for; 0 when it was there at once. */
  waited: number
}

/** `os-ipc:timeout` and `os-ipc:failed`: a wait ended without a unit. */
export interface FailedMessage extends SemaphoreMessage {
  /** The number of the wait that this ends; `undefined` for `timeout: 0`, which does not wait. */
  wait: number | undefined
  /** Milliseconds that it was waited. */
  waited: number
  /** What the wait rejects with, or throws. */
  error: unknown
}

/** `os-ipc:released`: a permit was given back, or units were posted. */
export interface ReleasedMessage extends SemaphoreMessage {
  /** How many: 1 for a permit, the argument of `post` for raw units. */
  count: number
  /** Milliseconds that the permit was held; `undefined` for raw units, and when nobody listened as it was taken. */
  held: number | undefined
}

/** The messages of the channels of `node:diagnostics_channel` that semaphores publish to. */
export interface DiagnosticsMessages {
  'os-ipc:wait': WaitMessage
  'os-ipc:acquired': AcquiredMessage
  'os-ipc:released': ReleasedMessage
  'os-ipc:timeout': FailedMessage
  'os-ipc:failed': FailedMessage
}
