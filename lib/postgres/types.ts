import type { Lock, LockOptions } from '../lock/types.js'

/** How a lock is asked for. */
export interface PostgresLockOptions extends LockOptions {
  /** Milliseconds after which the request rejects with `ETIMEDOUT`, if the lock was not granted by then. 0 takes it if it is free. */
  timeout?: number | undefined
}

/** A lock that is held on PostgreSQL, as its callback sees it. It can be lost. */
export interface PostgresLock extends Lock {
  /**
   * Aborts when the session that holds the lock is gone; its reason is an `IpcError` with the code `ERR_LOCK_LOST`. Reading
   * `aborted` and `throwIfAborted()` look at the clock, so that they are right also in a process that was stopped until now.
   */
  readonly signal: AbortSignal
  /**
   * A number that is larger than that of every earlier holder (a fencing token). What is written under the lock can be
   * refused by it: `update ... where fence < $1`.
   */
  readonly fence: number
}

/** What runs while the lock is held, until what it returns has settled. */
export type PostgresLockGrantedCallback<T> = (lock: PostgresLock | null) => T
