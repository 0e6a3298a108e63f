/// <reference lib="esnext.disposable" />
/// <reference types="node" />
import { PermitLike, PermitSource, WaitOptions, PermitSourceInfo } from './index.cjs';

/** What is used of an ioredis client: an instance of its `Redis` or `Cluster`, or of a class that is made like them. */
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

/** What everybody who uses a name has to agree on, and how patient this process is. */
interface RedisLimitOptions {
    /** How many permits there are, 1 to 1,000,000. Redis does not record it: give every process the same number. */
    permits: number;
    /**
     * Milliseconds after which the permit of a process that is not heard of any more belongs to others; 300 to 86,400,000,
     * and 10,000 when missing. The same for everybody who uses the name.
     */
    lease?: number | undefined;
    /**
     * Milliseconds between two looks of this process while it waits, 1 to 60,000; 10 when missing. Half of it is what a
     * hand-over takes on average.
     */
    poll?: number | undefined;
}

/**
 * A permit that is held on Redis, and refreshed there for as long as it is.
 *
 * It can be lost: when this process was stopped, or Redis away, for longer than the lease. {@link signal} says so.
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
    /** Whether it was given back. */
    get released(): boolean;
    /**
     * Aborts when the permit is lost; its reason is an `IpcError` with the code `ERR_PERMIT_LOST`.
     *
     * Reading `aborted` and `throwIfAborted()` look at the clock: also in a process that was stopped until now they tell the
     * truth. A permit that was released is not lost, and its signal never aborts.
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
     * Gives the permit back; a second call does nothing, and neither does that of a lost permit. It never rejects: where
     * Redis cannot be told, the permit is free when its lease is over.
     *
     * @returns A promise that settles when Redis has it back, or when the first try to tell it failed, or when the lease is over.
     */
    release(): Promise<void>;
    /** As {@link release}, without a promise: the permit goes back as soon as Redis hears of it. */
    [Symbol.dispose](): void;
    /** The same as {@link release}. */
    [Symbol.asyncDispose](): Promise<void>;
}

/** What Redis and this process know about the permits of a name. */
interface RedisLimitInfo extends PermitSourceInfo {
    readonly name: string;
    /** How many permits are free. */
    readonly free: number;
    /** How many permits there are, as this process was told. */
    readonly permits: number;
    /** How many are held, by all processes. */
    readonly taken: number;
    /** How many of them this process holds through this object. */
    readonly held: number;
    /** The key in Redis: a sorted set. */
    readonly key: string;
}
/**
 * At most so many at a time, over processes on many machines: what `Limit` is on one.
 *
 * Redis does not record how many permits there are: each process brings its own number, so give all of them the same one.
 * That is why there is no `resize`.
 *
 * A permit is a lease: it is refreshed while it is held, and belongs to others when its process was not heard of for so
 * long. {@link RedisPermit.signal} aborts when that happened. Waiting is polling, and the order is not first come, first
 * served between processes; inside one it is.
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
    /** How many permits there are. */
    readonly permits: number;
    /** Milliseconds after which the permit of a process that is not heard of any more belongs to others. */
    readonly lease: number;
    private constructor();
    /**
     * Permits on the Redis at this address, over a connection of its own. The connection is made when it is first needed.
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
     * Permits over an ioredis client that is there: one with options of its own, for Sentinel or for a Cluster. It is neither
     * closed nor configured here, and whether it keeps the process alive is for its owner to say.
     *
     * @example
     * ```ts
     * const client = new Redis({ host: 'localhost', enableAutoPipelining: true })
     * const jobs = RedisLimit.over(client, '/jobs', { permits: 4 })
     * ```
     */
    static over(client: RedisClient, name: string, options: RedisLimitOptions): RedisLimit;
    /**
     * Takes a permit, and waits until one is there: first come, first served in this object, by chance between processes.
     *
     * While Redis cannot be reached it goes on trying, with longer and longer pauses up to a second.
     *
     * @throws {IpcError} `ETIMEDOUT` (`cause` says why Redis did not answer, if it was that), `ERR_CLOSED`, `ERR_REFUSED` when
     *   Redis refuses, `ERR_CLOCK_SKEW`; or the signal's reason.
     *
     * @example
     * ```ts
     * await using permit = await jobs.acquire({ timeout: 60_000 })
     * ```
     */
    acquire(options?: WaitOptions): Promise<RedisPermit>;
    /**
     * Takes a permit if one is there now; it does not queue behind pending waits.
     *
     * @returns `null` when all are held.
     * @throws {IpcError} `ERR_UNAVAILABLE` when Redis cannot be reached, or does not answer as long as a lease is;
     *   `ERR_CLOSED`, `ERR_REFUSED`, `ERR_CLOCK_SKEW`.
     */
    tryAcquire(): Promise<RedisPermit | null>;
    /**
     * Runs a function while holding a permit, and gives the permit back when it returned or threw.
     *
     * When the permit is lost meanwhile, its `signal` aborts; the function decides what comes of it.
     *
     * @returns What the function returned.
     * @throws As {@link acquire}, and what the function throws.
     *
     * @example
     * ```ts
     * const page = await jobs.use(({ signal }) => fetch(url, { signal }), { timeout: 10_000 })
     * ```
     */
    use<T>(fn: (permit: RedisPermit) => T | Promise<T>, options?: WaitOptions): Promise<T>;
    /**
     * What Redis knows about the permits, and what this process waits for.
     *
     * @throws {IpcError} As {@link tryAcquire}.
     */
    info(): Promise<RedisLimitInfo>;
    /**
     * Closes this object: its pending waits reject with `ERR_CLOSED`, and so does every later call but this one.
     *
     * Permits stay held, and refreshed, until they are released. A connection of {@link connect} ends after the last of them.
     *
     * @returns A promise that settles when the connection has ended, or at once when permits are held.
     */
    close(): Promise<void>;
    /** The same as {@link close}. */
    [Symbol.asyncDispose](): Promise<void>;
}

export { RedisLimit, RedisPermit };
export type { RedisClient, RedisLimitInfo, RedisLimitOptions };
