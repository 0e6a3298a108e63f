import type { LockMode } from '../lock/types.js'

/** The fields of every event of a lock. */
export interface LockMessage {
  /** The lock's name. */
  name: string
  /** The requested mode. */
  mode: LockMode
}

/** `os-ipc:lock:wait`: a request has to wait. */
export interface LockWaitMessage extends LockMessage {
  /** The number of this wait, counted from 1 in each thread. The event that ends the wait has the same number. */
  wait: number
}

/** `os-ipc:lock:acquired`: a lock was granted. */
export interface LockAcquiredMessage extends LockMessage {
  /** The number of the wait that this ends; `undefined` when the lock was free at once. */
  wait: number | undefined
  /** Milliseconds that the request waited; 0 when the lock was free at once. */
  waited: number
}

/** `os-ipc:lock:timeout` and `os-ipc:lock:failed`: a wait ended without the lock. */
export interface LockFailedMessage extends LockMessage {
  /** The number of the wait that this ends; `undefined` when the request had the timeout 0. */
  wait: number | undefined
  /** Milliseconds that the request waited. */
  waited: number
  /** The error with which the request rejects. */
  error: unknown
}

/** `os-ipc:lock:released`: a lock was released. */
export interface LockReleasedMessage extends LockMessage {
  /** Milliseconds that the lock was held; `undefined` when the channel had no subscriber at the time of the grant. */
  held: number | undefined
}

/** The messages of the channels of `node:diagnostics_channel` to which locks publish. */
export interface LockDiagnosticsMessages {
  'os-ipc:lock:wait': LockWaitMessage
  'os-ipc:lock:acquired': LockAcquiredMessage
  'os-ipc:lock:released': LockReleasedMessage
  'os-ipc:lock:timeout': LockFailedMessage
  'os-ipc:lock:failed': LockFailedMessage
}
