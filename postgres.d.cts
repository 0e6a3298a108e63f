/// <reference lib="esnext.disposable" />
/// <reference types="node" />
import { Lock, LockOptions, LockManager, LockManagerSnapshot } from './index.cjs';

/** The part of a `Client` of the package pg that is used here. */
interface PostgresClient {
    connect(): Promise<unknown>;
    query(query: PostgresQuery): Promise<unknown>;
    end(): Promise<void>;
    on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
}
/** The part of a pool's client that is used here. */
interface PostgresPoolClient {
    query(query: PostgresQuery): Promise<unknown>;
    release(destroy?: boolean): void;
    on(event: 'error' | 'end', listener: (error?: Error) => void): unknown;
}
/** The part of a `Pool` of the package pg that is used here. */
interface PostgresPool {
    connect(): Promise<PostgresPoolClient>;
    readonly options?: {
        readonly max?: number | undefined;
    };
}
/** A statement, in the format of pg. */
interface PostgresQuery {
    text: string;
    values: string[];
    rowMode: 'array';
    name?: string;
}
/**
 * The source of the connections: a connection string, a `Pool` of the package pg, or a function that makes a `Client` of pg
 * that is not connected yet.
 */
type PostgresSource = string | PostgresPool | (() => PostgresClient | Promise<PostgresClient>);

/** The options of {@link PostgresLocks.connect}. */
interface PostgresLocksOptions {
    /**
     * The most connections, 2 to 1,000; 10 when missing. One of them holds all locks that were granted at once. Each lock
     * granted after a wait occupies one more until it is released. Further waits queue for a connection. A `Pool` gives at
     * most the connections that it has.
     */
    maxConnections?: number | undefined;
    /**
     * Milliseconds of silence after which a peer counts as dead, 3,000 to 3,600,000; 15,000 when missing. The server frees the
     * locks of a host that is silent for that long. This process counts its locks as lost a tenth earlier. All processes must
     * have the same value.
     */
    deadAfter?: number | undefined;
    /**
     * `'session'` allows a connection pooler (pgbouncer) between this process and the server. Only a pooler in session mode
     * keeps locks; without this option every pooler is refused.
     */
    pooler?: 'session' | undefined;
}

/** The options of a request: those of every lock. */
interface PostgresLockOptions extends LockOptions {
}
/** A lock that is held on PostgreSQL; the argument of the callback. It can be lost. */
interface PostgresLock extends Lock {
    /**
     * Aborts when the session of the lock is gone; its reason is an `IpcError` with the code `ERR_LOCK_LOST`. `aborted` and
     * `throwIfAborted()` check the clock, so they are right even in a process that was stopped until now.
     */
    readonly signal: AbortSignal;
    /**
     * A number that is larger than that of every earlier holder (a fencing token). With it, a store can refuse the writes of an
     * earlier holder: `update ... where fence < $1`.
     */
    readonly fence: number;
}
/** The function that runs while the lock is held. The lock is released when the function's result has settled. */
type PostgresLockGrantedCallback<T> = (lock: PostgresLock | null) => T;

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
declare class PostgresLocks implements LockManager, AsyncDisposable {
    #private;
    private constructor();
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
    static connect(source: PostgresSource, options?: PostgresLocksOptions): PostgresLocks;
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
    request<T>(name: string, callback: PostgresLockGrantedCallback<T>): Promise<Awaited<T>>;
    request<T>(name: string, options: PostgresLockOptions, callback: PostgresLockGrantedCallback<T>): Promise<Awaited<T>>;
    /**
     * Lists the holders of locks in this database and the requests that wait: first the requests of this process in their
     * order, then of each other process the locks that it holds and its first request for each lock.
     *
     * @throws {IpcError} `ERR_UNAVAILABLE`, `ERR_REFUSED`, `ERR_CLOSED`.
     */
    query(): Promise<LockManagerSnapshot>;
    /**
     * Closes this object: its pending requests reject with `ERR_CLOSED`, and so does every later call but this one.
     *
     * Locks stay held until their callbacks are done; the connections end after the last of them.
     *
     * @returns A promise that settles when the connections have ended, or at once when locks are held.
     */
    close(): Promise<void>;
    /** The same as {@link close}. */
    [Symbol.asyncDispose](): Promise<void>;
    get [Symbol.toStringTag](): string;
}

export { PostgresLocks };
export type { PostgresClient, PostgresLock, PostgresLockGrantedCallback, PostgresLockOptions, PostgresLocksOptions, PostgresPool, PostgresPoolClient, PostgresSource };
