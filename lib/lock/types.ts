/** How a lock is held: `'exclusive'` alone, `'shared'` together with others who ask for the same. */
export type LockMode = 'exclusive' | 'shared'

/** How a lock is asked for. */
export interface LockOptions {
  /** `'exclusive'` when missing. */
  mode?: LockMode
  /** Asks for the lock only if it is to be had now; the callback gets `null` where it is not. */
  ifAvailable?: boolean
  /** Not supported: nobody can take a lock away from another process. */
  steal?: boolean
  /** Ends the wait; the promise rejects with `signal.reason`. It means nothing any more once the lock is granted. */
  signal?: AbortSignal
}

/** A lock that is held, as its callback sees it. */
export interface Lock {
  /** What was asked for. */
  readonly name: string
  /** How it is held. */
  readonly mode: LockMode
  /**
   * Aborts when the lock is lost while it is held, with an `ERR_LOCK_LOST`. A lock of one host is never lost, and its signal
   * never aborts; one of `os-ipc/postgres` is lost with its session.
   */
  readonly signal: AbortSignal
  /** A number that is larger than that of every earlier holder; `undefined` for a lock of one host, which is never lost. */
  readonly fence: number | undefined
}

/** What runs while the lock is held, until what it returns has settled. */
export type LockGrantedCallback<T> = (lock: Lock | null) => T

/** Somebody who holds a lock or waits for one. */
export interface LockInfo {
  /** The lock's name. */
  name: string
  /** How it is held, or is to be. */
  mode: LockMode
  /** The process: `'node-PID'`, the same for who asks inside of it and outside. */
  clientId?: string
  /** The thread of this process that asked: `threadId` of `node:worker_threads`. Other processes' threads are not known. */
  threadId?: number
  /** The process; `undefined` where the kernel does not say. */
  pid: number | undefined
}

/** Who has which locks, and who waits for them. */
export interface LockManagerSnapshot {
  held: LockInfo[]
  pending: LockInfo[]
}

/** {@link locks}, in the shape of the DOM's `LockManager`. */
export interface LockManager {
  /**
   * Runs `callback` while it holds the lock, for whose name and mode nobody else does on this host.
   *
   * Requests of this process are granted in their order. The lock is free again when what the callback returned has
   * settled, when it has thrown, and when the process dies.
   *
   * @param name - Any text of at most 250 bytes of UTF-8 that does not start with `-`.
   * @returns What the callback returned.
   * @throws What the callback throws, or the signal's reason. A `NotSupportedError` (`DOMException`) for a name that starts
   * with `-`, for `steal`, and for `signal` with `ifAvailable`. {@link IpcError} `EACCES` or `ERR_FOREIGN_OWNER` where
   * another user has a lock of this name, `ERR_NAME_COLLISION` where the name's key is taken, `ENOSPC` at the host's limit.
   *
   * @example
   * ```ts
   * await locks.request('reports', async () => {
   *   // no other process of this host is here
   * })
   * ```
   */
  request<T>(name: string, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: LockGrantedCallback<T>): Promise<Awaited<T>>
  /**
   * Who holds locks on this host and who waits for them.
   *
   * `held` has this process's locks in the order of their requests, then other processes'. `pending` is in the order of
   * the requests; those of another process for one lock stand together, where its first one is.
   *
   * @example
   * ```ts
   * const { held } = await locks.query()
   * for (const { name, mode, pid } of held) console.log(name, mode, pid)
   * ```
   */
  query(): Promise<LockManagerSnapshot>
}
