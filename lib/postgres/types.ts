import type { Lock, LockOptions } from '../lock/types.js'

/** The options of a request: those of every lock. */
export interface PostgresLockOptions extends LockOptions {}

/** A lock that is held on PostgreSQL; the argument of the callback. It can be lost. */
export interface PostgresLock extends Lock {
  /**
   * Aborts when the session of the lock is gone; its reason is an `IpcError` with the code `ERR_LOCK_LOST`. `aborted` and
   * `throwIfAborted()` check the clock, so they are right even in a process that was stopped until now.
   */
  readonly signal: AbortSignal
  /**
   * A number that is larger than that of every earlier holder (a fencing token). With it, a store can refuse the writes of an
   * earlier holder: `update ... where fence < $1`.
   */
  readonly fence: number
}

/** The function that runs while the lock is held. The lock is released when the function's result has settled. */
export type PostgresLockGrantedCallback<T> = (lock: PostgresLock | null) => T
