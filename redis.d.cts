/// <reference lib="esnext.disposable" />
/// <reference types="node" />
import { PermitLike, PermitSource, WaitOptions, PermitSourceInfo } from './index.cjs';

/** The part of an ioredis client that is used here: an instance of its `Redis` or `Cluster`, or of a similar class. */
interface RedisClient {
    eval(script: string, keys: number, ...args: (string | number)[]): Promise<unknown>;
    evalsha(sha1: string, keys: number, ...args: (string | number)[]): Promise<unknown>;
    zrem(key: string, member: string): Promise<unknown>;
    zcount(key: string, least: number | string, most: number | string): Promise<unknown>;
    time(): Promise<unknown>;
    info(section: string): Promise<unknown>;
    on(event: 'ready', listener: () => void): unknown;
    off(event: 'ready', listener: () => void): unknown;
}

/** The options of a limit on Redis. All users of a name must give the same `permits` and `lease`. */
interface RedisLimitOptions {
    /** The number of permits, 1 to 1,000,000. Redis does not record it: give every process the same number. */
    permits: number;
    /**
     * Milliseconds without a refresh after which others can take a permit; 300 to 86,400,000, and 10,000 when missing. All
     * users of the name must give the same value.
     */
    lease?: number | undefined;
    /**
     * Milliseconds between two polls of this process while it waits, 1 to 60,000; 10 when missing. A hand-over between
     * processes takes half of this time on average.
     */
    poll?: number | undefined;
}

/**
 * A permit that is held on Redis, and refreshed there while it is held.
 *
 * The permit is lost if this process was stopped, or Redis was away, for longer than the lease. Then {@link signal}
 * aborts.
 *
 * @example
 * ```ts
 * const permit = await jobs.acquire()
 * try {
 *   await fetch(url, { signal: permit.signal })
 * } finally {
 *   await permit.release()
 * }
 * ```
 */
declare class RedisPermit implements PermitLike {
    #private;
    private constructor();
    /** Whether it was released. */
    get released(): boolean;
    /**
     * Aborts when the permit is lost; its reason is an `IpcError` with the code `ERR_PERMIT_LOST`.
     *
     * `aborted` and `throwIfAborted()` check the clock, so they are right even in a process that was stopped until now. A
     * permit that was released is not lost, and its signal never aborts.
     *
     * @example
     * ```ts
     * await jobs.use(async ({ signal }) => {
     *   for (const part of parts) {
     *     signal.throwIfAborted()
     *     await convert(part)
     *   }
     * })
     * ```
     */
    get signal(): AbortSignal;
    /**
     * Releases the permit. A second call does nothing, and neither does the release of a lost permit. It never rejects: if Redis
     * cannot be reached, the permit is free when its lease is over.
     *
     * @returns A promise that settles when Redis has the release, when the first try failed, or when the lease is over.
     */
    release(): Promise<void>;
    /** Like {@link release}, without a promise: the permit is free as soon as the command reaches Redis. */
    [Symbol.dispose](): void;
    /** The same as {@link release}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** The facts of Redis and of this process about the permits of a name. */
interface RedisLimitInfo extends PermitSourceInfo {
    readonly name: string;
    /** The number of free permits. */
    readonly free: number;
    /** The number of permits, from the options of this process. */
    readonly permits: number;
    /** The number of held permits, in all processes. */
    readonly taken: number;
    /** The number of permits that this process holds through this object. */
    readonly held: number;
    /** The key in Redis: a sorted set. */
    readonly key: string;
}
/**
 * A limit on how many holders run at a time, over processes on many machines. `Limit` does the same on one machine.
 *
 * Redis does not record the number of permits, so there is no `resize`. Each process uses its own number: give all
 * processes the same number.
 *
 * A permit has a lease, and is refreshed while it is held. If its process is silent for the time of the lease, another
 * process can take the permit, and {@link RedisPermit.signal} aborts. A wait polls Redis. The order is first come, first
 * served inside an object, and random between processes.
 *
 * Needs the packages redis-semaphore and ioredis, and Redis 6.2 or Valkey.
 *
 * @example
 * ```ts
 * const jobs = RedisLimit.connect('redis://localhost:6379', '/jobs', { permits: 4 })
 * await jobs.use(({ signal }) => fetch(url, { signal })) // at most 4 at a time, over all machines
 * await jobs.close()
 * ```
 */
declare class RedisLimit implements PermitSource {
    #private;
    /** The name with its leading slash. */
    readonly name: string;
    /** The number of permits. */
    readonly permits: number;
    /** Milliseconds without a refresh after which others can take a permit. */
    readonly lease: number;
    private constructor();
    /**
     * Permits on the Redis at this address, over a separate connection, which is made when it is first needed.
     *
     * @param url - `redis://user:password@host:6379/0` (or `valkey://`), `rediss://` (or `valkeys://`) for TLS,
     *   or a Unix socket: its path, or `unix:/run/redis.sock`. Special characters of a password are written `%XX`.
     * @param name - As for `Limit`: 1 to 250 bytes of UTF-8; a missing leading slash is added.
     *
     * @example
     * ```ts
     * const jobs = RedisLimit.connect('redis://localhost:6379', '/jobs', { permits: 4, lease: 30_000 })
     * ```
     */
    static connect(url: string, name: string, options: RedisLimitOptions): RedisLimit;
    /**
     * Permits over an existing ioredis client: for options of your own, for Sentinel or for a Cluster. This class does not
     * close or change the client. The owner of the client decides whether it keeps the process alive.
     *
     * @example
     * ```ts
     * const client = new Redis({ host: 'localhost', enableAutoPipelining: true })
     * const jobs = RedisLimit.over(client, '/jobs', { permits: 4 })
     * ```
     */
    static over(client: RedisClient, name: string, options: RedisLimitOptions): RedisLimit;
    /**
     * Takes a permit, and waits until one is free: first come, first served in this object, in random order between processes.
     *
     * While Redis cannot be reached, the call keeps trying, with growing pauses of up to one second.
     *
     * @throws {IpcError} `ETIMEDOUT` (if Redis did not answer, `cause` is the reason), `ERR_CLOSED`, `ERR_REFUSED` when Redis
     *   refuses, `ERR_CLOCK_SKEW`; or the signal's reason.
     *
     * @example
     * ```ts
     * await using permit = await jobs.acquire({ timeout: 60_000 })
     * ```
     */
    acquire(options?: WaitOptions): Promise<RedisPermit>;
    /**
     * Takes a permit if one is free now; it does not queue behind pending waits.
     *
     * @returns `null` when no permit is free.
     * @throws {IpcError} `ERR_UNAVAILABLE` when Redis cannot be reached, or does not answer within the lease;
     *   `ERR_CLOSED`, `ERR_REFUSED`, `ERR_CLOCK_SKEW`.
     */
    tryAcquire(): Promise<RedisPermit | null>;
    /**
     * Runs a function while holding a permit, and releases the permit when the function has returned or thrown.
     *
     * If the permit is lost meanwhile, its `signal` aborts; the function decides how to react.
     *
     * @returns The result of the function.
     * @throws As {@link acquire}, and the error that the function throws.
     *
     * @example
     * ```ts
     * const page = await jobs.use(({ signal }) => fetch(url, { signal }), { timeout: 10_000 })
     * ```
     */
    use<T>(fn: (permit: RedisPermit) => T | Promise<T>, options?: WaitOptions): Promise<T>;
    /**
     * Reads the facts of Redis about the permits, and the pending waits of this process.
     *
     * @throws {IpcError} As {@link tryAcquire}.
     */
    info(): Promise<RedisLimitInfo>;
    /**
     * Closes this object: its pending waits reject with `ERR_CLOSED`, and so does every later call except this one.
     *
     * Permits stay held, and refreshed, until they are released. A connection of {@link connect} ends after the last
     * release.
     *
     * @returns A promise that settles when the connection has ended, or at once when permits are held.
     */
    close(): Promise<void>;
    /** The same as {@link close}. */
    [Symbol.asyncDispose](): Promise<void>;
}

export { RedisLimit, RedisPermit };
export type { RedisClient, RedisLimitInfo, RedisLimitOptions };
