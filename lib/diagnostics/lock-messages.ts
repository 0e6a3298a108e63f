import type { LockMode } from '../lock/types.js'

/** What every event of a lock says. */
export interface LockMessage {
  /** The lock's name. */
  name: string
  /** How it was asked for. */
  mode: LockMode
}

/** `os-ipc:lock:wait`: a request has to wait. */
export interface LockWaitMessage extends LockMessage {
  /** The number of this wait, from 1 on in each thread; its end has the same one. */
  wait: number
}

/** `os-ipc:lock:acquired`: a lock was granted. */
export interface LockAcquiredMessage extends LockMessage {
  /** The number of the wait that this ends; `undefined` when the lock was free at once. */
  wait: number | undefined
  /** Milliseconds that it was waited for; 0 when it was free at once. */
  waited: number
}

/** `os-ipc:lock:timeout` and `os-ipc:lock:failed`: a wait ended without the lock. */
export interface LockFailedMessage extends LockMessage {
  /** The number of the wait that this ends. */
  wait: number
  /** Milliseconds that it was waited. */
  waited: number
  /** What the request rejects with. */
  error: unknown
}

/** `os-ipc:lock:released`: a lock was given back. */
export interface LockReleasedMessage extends LockMessage {
  /** Milliseconds that it was held; `undefined` when nobody listened as it was granted. */
  held: number | undefined
}

/** The messages of the channels of `node:diagnostics_channel` that locks publish to. */
export interface LockDiagnosticsMessages {
  'os-ipc:lock:wait': LockWaitMessage
  'os-ipc:lock:acquired': LockAcquiredMessage
  'os-ipc:lock:released': LockReleasedMessage
  'os-ipc:lock:timeout': LockFailedMessage
  'os-ipc:lock:failed': LockFailedMessage
}
