/** The mode of a lock: `'exclusive'` has one holder; `'shared'` has any number of holders that all request `'shared'`. */
export type LockMode = 'exclusive' | 'shared'

/** The options of a request. */
export interface LockOptions {
  /** `'exclusive'` when missing. */
  mode?: LockMode
  /** Takes the lock only if it is free now; otherwise the callback gets `null`. */
  ifAvailable?: boolean
  /** Not supported: a process cannot take a lock away from another process. */
  steal?: boolean
  /** Ends the wait; the promise rejects with `signal.reason`. After the grant the signal has no effect. */
  signal?: AbortSignal
  /**
   * Milliseconds after which the request rejects with `ETIMEDOUT`, if the lock was not granted by then. 0 takes the lock
   * only if it is free. The DOM has no such option.
   */
  timeout?: number | undefined
}

/** A lock that is held, of any {@link LockManager}: also of `node:worker_threads`, whose locks have neither signal nor fence. */
export interface Lock {
  /** The name that was requested. */
  readonly name: string
  /** The mode in which it is held. */
  readonly mode: LockMode
  /**
   * Aborts with an `ERR_LOCK_LOST` when the lock is lost while it is held. A lock of `os-ipc/postgres` is lost with its
   * session.
   */
  readonly signal?: AbortSignal | undefined
  /** A number that is larger than that of every earlier holder, where locks can be lost. */
  readonly fence?: number | undefined
}

/** A lock of this host that is held; the argument of the callback. It is never lost. */
export interface HostLock extends Lock {
  /** Never aborts: a lock of one host is never lost. */
  readonly signal: AbortSignal
  /** `undefined`: a lock that is never lost needs no fence. */
  readonly fence: undefined
}

/** The function that runs while the lock is held. The lock is released when the function's result has settled. */
export type LockGrantedCallback<T> = (lock: Lock | null) => T

/** The same for a lock of this host. */
export type HostLockGrantedCallback<T> = (lock: HostLock | null) => T

/** A holder of a lock, or a request that waits for one. */
export interface LockInfo {
  /** The lock's name. */
  name: string
  /** The mode in which it is held or requested. */
  mode: LockMode
  /**
   * The process: `'node-PID'`. A process reads the same id in its own snapshot as others do in theirs. `'unknown'` where the
   * kernel does not tell the pid.
   */
  clientId: string
  /** The thread of this process that made the request: `threadId` of `node:worker_threads`. Unknown for other processes. */
  threadId?: number
  /** The pid; `undefined` where the kernel does not tell it. */
  pid?: number | undefined
}

/** The locks that are held, and the requests that wait. */
export interface LockManagerSnapshot {
  held: LockInfo[]
  pending: LockInfo[]
}

/**
 * Any locks in the shape of the DOM's `LockManager`: {@link locks}, a `PostgresLocks`, and the `locks` of `node:worker_threads`
 * are assignable to it.
 */
export interface LockManager {
  /** Runs `callback` while it holds the lock, and resolves with its result. */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  /** Lists the locks that are held, and the requests that wait for them. */
  query(): Promise<LockManagerSnapshot>
}

/** The type of {@link locks}, which is assignable to the DOM's `LockManager` and to that of `node:worker_threads`. */
export interface HostLocks extends LockManager {
  /**
   * Runs `callback` while it holds the lock. Meanwhile no other callback on this host holds a lock of this name in a
   * conflicting mode.
   *
   * Requests of this process are granted in their order. The lock is released when the result of the callback has
   * settled, when the callback has thrown, and when the process dies.
   *
   * @param name - Any text of at most 250 bytes of UTF-8 that does not start with `-`.
   * @returns The result of the callback.
   * @throws The error that the callback throws, or the signal's reason. A `NotSupportedError` (`DOMException`) for a name
   * that starts with `-`, for `steal`, and for `signal` with `ifAvailable`. {@link IpcError} `ETIMEDOUT`; `EACCES` or
   * `ERR_FOREIGN_OWNER` where another user has a lock of this name, `ERR_NAME_COLLISION` where the name's key is taken,
   * `ENOSPC` at the host's limit.
   *
   * @example
   * ```ts
   * await locks.request('reports', async () => {
   *   // no other process of this host is in this callback
   * })
   * ```
   */
  request<T>(name: string, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>
  /**
   * Lists the locks that are held on this host, and the requests that wait for them.
   *
   * `held` has the locks of this process in the order of their requests, then those of other processes. `pending` is in the
   * order of the requests; the requests of another process for one lock stand together, at the place of the first of them.
   *
   * @example
   * ```ts
   * const { held } = await locks.query()
   * for (const { name, mode, pid } of held) console.log(name, mode, pid)
   * ```
   */
  query(): Promise<LockManagerSnapshot>
}
