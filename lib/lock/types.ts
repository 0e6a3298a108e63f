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
}

/** A lock that is held; the argument of the callback. */
export interface Lock {
  /** The name that was requested. */
  readonly name: string
  /** The mode in which it is held. */
  readonly mode: LockMode
  /**
   * Aborts with an `ERR_LOCK_LOST` when the lock is lost while it is held. A lock of one host is never lost, and its signal
   * never aborts. A lock of `os-ipc/postgres` is lost with its session.
   */
  readonly signal: AbortSignal
  /** A number that is larger than that of every earlier holder; `undefined` for a lock of one host, which is never lost. */
  readonly fence: number | undefined
}

/** The function that runs while the lock is held. The lock is released when the function's result has settled. */
export type LockGrantedCallback<T> = (lock: Lock | null) => T

/** A holder of a lock, or a request that waits for one. */
export interface LockInfo {
  /** The lock's name. */
  name: string
  /** The mode in which it is held or requested. */
  mode: LockMode
  /** The process: `'node-PID'`. A process reads the same id in its own snapshot as others do in theirs. */
  clientId?: string
  /** The thread of this process that made the request: `threadId` of `node:worker_threads`. Unknown for other processes. */
  threadId?: number
  /** The pid; `undefined` where the kernel does not tell it. */
  pid: number | undefined
}

/** The locks that are held, and the requests that wait. */
export interface LockManagerSnapshot {
  held: LockInfo[]
  pending: LockInfo[]
}

/** {@link locks}, in the shape of the DOM's `LockManager`. */
export interface LockManager {
  /**
   * Runs `callback` while it holds the lock. No other callback on this host has this name in a conflicting mode meanwhile.
   *
   * Requests of this process are granted in their order. The lock is released when the result of the callback has settled,
   * when the callback has thrown, and when the process dies.
   *
   * @param name - Any text of at most 250 bytes of UTF-8 that does not start with `-`.
   * @returns The result of the callback.
   * @throws The error that the callback throws, or the signal's reason. A `NotSupportedError` (`DOMException`) for a name that
   * starts with `-`, for `steal`, and for `signal` with `ifAvailable`. {@link IpcError} `EACCES` or `ERR_FOREIGN_OWNER` where
   * another user has a lock of this name, `ERR_NAME_COLLISION` where the name's key is taken, `ENOSPC` at the host's limit.
   *
   * @example
   * ```ts
   * await locks.request('reports', async () => {
   *   // no other process of this host is in this callback
   * })
   * ```
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
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
