import type { WaitOptions } from '../waiting/options.js'

/**
 * A source of permits, on one machine or on many: `Limit`, `RedisLimit` of `os-ipc/redis`, or your own class.
 *
 * A source over a network returns promises, and a source on one machine returns values at once. The types allow both, and
 * `await` works with both.
 *
 * @example
 * ```ts
 * async function work(jobs: PermitSource) {
 *   await jobs.use(({ signal }) => fetch(url, { signal }), { timeout: 10_000 })
 * }
 * ```
 */
export interface PermitSource extends AsyncDisposable {
  /** The name of the permits for all their users, with its leading slash; `undefined` where they have none. */
  readonly name: string | undefined
  /**
   * Takes a permit, and waits until one is free.
   *
   * @throws {IpcError} `ETIMEDOUT`, `ERR_CLOSED`; or the signal's reason.
   */
  acquire(options?: WaitOptions): Promise<PermitLike>
  /** Takes a permit if one is free now; otherwise returns `null`. */
  tryAcquire(): PermitLike | null | Promise<PermitLike | null>
  /** Runs a function while holding a permit, and releases the permit when the function has returned or thrown. */
  use<T>(fn: (permit: PermitLike) => T | Promise<T>, options?: WaitOptions): Promise<T>
  /** Reads the present facts about the permits. */
  info(): PermitSourceInfo | Promise<PermitSourceInfo>
  /**
   * Ends the source: pending waits reject with `ERR_CLOSED`, and so does every later call except this one. Permits stay held
   * until they are released.
   */
  close(): void | Promise<void>
}

/** A permit of any {@link PermitSource}. */
export interface PermitLike extends Disposable, AsyncDisposable {
  /** Whether it was released. */
  readonly released: boolean
  /** Aborts with an `ERR_PERMIT_LOST` when the permit is lost. A permit of one machine is never lost. */
  readonly signal: AbortSignal
  /** Releases the permit. A second call does nothing; for a lost permit the call does nothing either. */
  release(): void | Promise<void>
}

/** The facts that every {@link PermitSource} has. */
export interface PermitSourceInfo {
  /** The name with its leading slash, where it is known. */
  readonly name: string | undefined
  /** The number of free permits, where it is known. */
  readonly free: number | undefined
  /** The number of pending waits of this process. */
  readonly pending: number
}
