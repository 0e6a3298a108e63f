import type { WaitOptions } from '../waiting/options.js'

/**
 * Where permits come from, on one machine or on many: `Limit` is one, `RedisLimit` of `os-ipc/redis` is one, and a
 * class of your own can be one.
 *
 * What has to be asked over a network answers with a promise there and at once here, so the types say "or": `await` suits
 * both.
 *
 * @example
 * ```ts
 * async function work(jobs: PermitSource) {
 *   await jobs.use(({ signal }) => fetch(url, { signal }), { timeout: 10_000 })
 * }
 * ```
 */
export interface PermitSource extends AsyncDisposable {
  /** The name that all who share the permits know them by, with its leading slash; `undefined` where they have none. */
  readonly name: string | undefined
  /**
   * Takes a permit, and waits until one is there.
   *
   * @throws {IpcError} `ETIMEDOUT`, `ERR_CLOSED`; or the signal's reason.
   */
  acquire(options?: WaitOptions): Promise<PermitLike>
  /** Takes a permit if one is there now; `null` when there is none. */
  tryAcquire(): PermitLike | null | Promise<PermitLike | null>
  /** Runs a function while holding a permit, and gives the permit back when it returned or threw. */
  use<T>(fn: (permit: PermitLike) => T | Promise<T>, options?: WaitOptions): Promise<T>
  /** What is known about the permits now. */
  info(): PermitSourceInfo | Promise<PermitSourceInfo>
  /**
   * Pending waits reject with `ERR_CLOSED`, and so does every later call but this one. Permits stay held until they are
   * released.
   */
  close(): void | Promise<void>
}

/** A permit of any {@link PermitSource}. */
export interface PermitLike extends Disposable, AsyncDisposable {
  /** Whether it was given back. */
  readonly released: boolean
  /** Aborts when the permit is lost, with an `ERR_PERMIT_LOST`; on one machine it never is. */
  readonly signal: AbortSignal
  /** Gives the permit back; a second call does nothing, and neither does that of a lost one. */
  release(): void | Promise<void>
}

/** What every {@link PermitSource} can say. */
export interface PermitSourceInfo {
  /** The name with its leading slash, where it is known. */
  readonly name: string | undefined
  /** How many permits are free, where it is known. */
  readonly free: number | undefined
  /** How many waits of this process are pending. */
  readonly pending: number
}
