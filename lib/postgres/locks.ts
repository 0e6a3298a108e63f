import { AsyncLocalStorage } from 'node:async_hooks'

import { detached } from '../misuse.js'
import { checkRequest } from '../lock/request.js'
import type { LockManager, LockManagerSnapshot } from '../lock/types.js'
import { withResolvers } from '../promises.js'
import { isPool, type PostgresSource } from './client.js'
import { opener } from './connect.js'
import { asIpcError, closed } from './failures.js'
import type { Grant } from './grant.js'
import type { KeyOf } from './key.js'
import { checkNameLength, checkSettings, type PostgresLocksOptions } from './options.js'
import { NameQueue } from './queue.js'
import { Sessions } from './sessions.js'
import { Shared } from './shared.js'
import { snapshot } from './snapshot.js'
import type { PostgresLockGrantedCallback, PostgresLockOptions } from './types.js'

/** The grant around the running code: a request made there waits while the grant's lock is held. */
const around = new AsyncLocalStorage<Grant>()

/**
 * `navigator.locks` for processes on many machines: {@link https://w3c.github.io/web-locks/ Web Locks} that are session-level
 * advisory locks of PostgreSQL 14 or later. No table, function or extension is needed. Needs the package pg.
 *
 * A lock exists as long as its session. When its process dies, the next waiter in the server's order gets it at once. When
 * the session ends while the callback runs, the `signal` of the lock aborts.
 *
 * @example
 * ```ts
 * await using shared = PostgresLocks.connect('postgres://app@db.example.com/app')
 * await shared.request('nightly', { timeout: 60_000 }, async lock => {
 *   // no other process of any machine is in this callback until `lock.signal` aborts
 *   await fetch(url, { signal: lock?.signal ?? null, headers: { 'x-fence': `${lock?.fence}` } })
 * })
 * ```
 */
export class PostgresLocks implements LockManager, AsyncDisposable {
  readonly #sessions: Sessions
  readonly #shared: Shared
  #closed = false
  #ending: Promise<void> | undefined

  private constructor(source: PostgresSource, options: PostgresLocksOptions | undefined, keys?: KeyOf) {
    const open = opener(source)
    const settings = checkSettings(options, isPool(source) ? source.options?.max : undefined)
    this.#sessions = new Sessions(open, settings)
    this.#shared = new Shared(this.#sessions, () => this.#endIfUnused(), keys)
  }

  /**
   * Makes locks of the database of this source. A connection is made when it is first needed.
   *
   * @param source - A connection string such as `postgres://user:password@host:5432/database`; a `Pool` of pg, whose
   *   connections are taken and ended here; or a function that makes a `Client` of pg, for options of your own.
   *
   * @example
   * ```ts
   * const shared = PostgresLocks.connect('postgres://app@db.example.com/app', { maxConnections: 4 })
   * ```
   */
  static connect(source: PostgresSource, options?: PostgresLocksOptions): PostgresLocks {
    return new PostgresLocks(source, options)
  }

  /**
   * Runs `callback` while it holds the lock. No other process of this database holds it in a conflicting mode meanwhile.
   *
   * Requests of this process are granted in their order; requests of several processes, in the server's order. While the
   * server cannot be reached, a request keeps trying; a request with `ifAvailable` rejects.
   *
   * @param name - Any text of at most 250 bytes of UTF-8 that does not start with `-`.
   * @returns The result of the callback.
   * @throws The error that the callback throws, or the signal's reason. A `NotSupportedError` (`DOMException`) for a name that starts
   * with `-`, for `steal`, and for `signal` with `ifAvailable`. {@link IpcError} `ETIMEDOUT`, `ERR_CLOSED`; `EDEADLK` when
   * holders wait for each other; `ERR_REFUSED` when the server refuses; `ERR_NOT_SUPPORTED` for an old server or a
   * connection pooler; `ERR_UNAVAILABLE` with `ifAvailable`; `ERR_NAME_COLLISION`.
   */
  request<T>(name: string, callback: PostgresLockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(
    name: string,
    options: PostgresLockOptions,
    callback: PostgresLockGrantedCallback<T>,
  ): Promise<Awaited<T>>
  async request(...args: readonly unknown[]): Promise<unknown> {
    const isClosed = PostgresLocks.#isClosed(this, 'request')
    const request = checkRequest(args)
    const { name, signal, timeout, callback } = request
    checkNameLength(name)
    if (signal?.aborted) throw signal.reason
    if (isClosed) throw closed()
    const outer = around.getStore()
    const queue = this.#queueOf(name)
    const grant = await (timeout === 0 ? queue.tryOnce(request, outer) : queue.add(request, outer).granted)
    if (grant === undefined) return await callback(null)
    try {
      // The signal may have aborted after the grant and before this point. The callback has not run, and must not run.
      if (signal?.aborted) throw signal.reason
      return await around.run(grant, () => callback(grant.lock))
    } finally {
      await queue.end(grant)
    }
  }

  /**
   * Lists the holders of locks in this database and the requests that wait: first the requests of this process in their
   * order, then of each other process the locks that it holds and its first request for each lock.
   *
   * @throws {IpcError} `ERR_UNAVAILABLE`, `ERR_REFUSED`, `ERR_CLOSED`.
   */
  async query(): Promise<LockManagerSnapshot> {
    if (PostgresLocks.#isClosed(this, 'query')) throw closed()
    try {
      return await snapshot(this.#shared)
    } catch (error) {
      throw asIpcError(error)
    }
  }

  /**
   * Closes this object: its pending requests reject with `ERR_CLOSED`, and so does every later call but this one.
   *
   * Locks stay held until their callbacks are done; the connections end after the last of them.
   *
   * @returns A promise that settles when the connections have ended, or at once when locks are held.
   */
  async close(): Promise<void> {
    PostgresLocks.#isClosed(this, 'close')
    this.#closed = true
    this.#shared.failAll()
    const isHeld = [...this.#shared.queues.values()].some(({ holds }) =>
      [...holds].some(({ ending, isLost }) => !ending && !isLost),
    )
    this.#endIfUnused()
    if (!isHeld) await (this.#ending ?? this.#whenUnused.promise)
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  get [Symbol.toStringTag](): string {
    return 'LockManager'
  }

  readonly #whenUnused = withResolvers<void>()

  #queueOf(name: string): NameQueue {
    let queue = this.#shared.queues.get(name)
    if (queue === undefined) {
      queue = new NameQueue(name, this.#shared.claim(name), this.#shared)
      this.#shared.queues.set(name, queue)
    }
    return queue
  }

  /** A method that was called without its locks throws. */
  static #isClosed(locks: PostgresLocks, method: string): boolean {
    try {
      return locks.#closed
    } catch {
      throw detached('locks', method)
    }
  }

  #endIfUnused(): void {
    if (!this.#closed || this.#shared.queues.size > 0) return
    this.#ending ??= this.#sessions.end().then(this.#whenUnused.resolve)
  }
}
