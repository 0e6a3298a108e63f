import { clearTimeout, setTimeout } from '../waiting/clock.js'
import { IpcError, wrongType } from '../errors.js'
import { checkUsed, detached, noConstructor } from '../misuse.js'
import type { PermitSource, PermitSourceInfo } from '../limit/permit-source.js'
import { type WaitOptions, waitLimits } from '../waiting/options.js'
import { isRedisClient, type RedisClient } from './client.js'
import { Entries, entriesKey, type Entry } from './entry.js'
import { timedOut, unavailable } from './failures.js'
import { GivenLink, type Link, OwnLink } from './link.js'
import { checkSettings, checkSharedName, type RedisLimitOptions, type Settings } from './options.js'
import { type PermitWatcher, type RedisPermit, redisPermitOf } from './permit.js'
import { Server } from './server.js'
import { reasonOf, unlisten } from '../waiting/signals.js'
import { resolved } from '../promises.js'
import { Waits } from './waits.js'

/** The facts of Redis and of this process about the permits of a name. */
export interface RedisLimitInfo extends PermitSourceInfo {
  readonly name: string
  /** The number of free permits. */
  readonly free: number
  /** The number of permits, from the options of this process. */
  readonly permits: number
  /** The number of held permits, in all processes. */
  readonly taken: number
  /** The number of permits that this process holds through this object. */
  readonly held: number
  /** The key in Redis: a sorted set. */
  readonly key: string
}

/** The key of the constructor: only this module makes these objects. */
const inside = Symbol('inside')

/** The most milliseconds that `close()` waits for answers that are under way. */
const ANSWER_WITHIN = 1_000

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
export class RedisLimit implements PermitSource {
  /** The name with its leading slash. */
  readonly name: string
  /** The number of permits. */
  readonly permits: number
  /** Milliseconds without a refresh after which others can take a permit. */
  readonly lease: number

  readonly #link: Link
  readonly #entries: Entries
  readonly #waits: Waits
  readonly #label: string
  readonly #watcher: PermitWatcher = {
    onRelease: () => this.#waits.wake(),
    onEnd: () => {
      this.#held -= 1
      this.#endIfUnused()
    },
  }
  /** The number of permits that Redis does not know to be free yet. */
  #held = 0
  /** The number of questions that are under way. */
  #asking = 0
  #waitedLong = false
  #ending = false
  readonly #closing = new AbortController()
  #alarm: NodeJS.Timeout | undefined
  readonly #ended: Promise<void>
  #end: () => void = () => {}

  private constructor(key: symbol, name: string, settings: Settings, link: Link) {
    if (key !== inside) {
      throw noConstructor('RedisLimit', [
        'connect(url, name, { permits })',
        'over(client, name, { permits })',
      ])
    }
    this.name = name
    this.permits = settings.permits
    this.lease = settings.lease
    this.#label = `'${name}'`
    this.#link = link
    this.#entries = new Entries(
      link,
      new Server(link, settings.lease, this.#label, entriesKey(name)),
      settings,
      name,
    )
    const supply = { take: () => this.#take(), silence: (age: number) => link.silence(age) }
    this.#waits = new Waits(supply, settings.poll, this.#label)
    this.#ended = new Promise(resolve => {
      this.#end = resolve
    })
  }

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
  static connect(url: string, name: string, options: RedisLimitOptions): RedisLimit {
    if (typeof url !== 'string') throw wrongType('url', 'a string', url)
    const checked = checkSharedName(name)
    const settings = checkSettings(options)
    return new RedisLimit(inside, checked, settings, new OwnLink(url, settings.lease))
  }

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
  static over(client: RedisClient, name: string, options: RedisLimitOptions): RedisLimit {
    if (!isRedisClient(client)) throw wrongType('client', 'an ioredis client', client)
    const checked = checkSharedName(name)
    return new RedisLimit(inside, checked, checkSettings(options), new GivenLink(client))
  }

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
  async acquire(options?: WaitOptions): Promise<RedisPermit> {
    RedisLimit.#checkOpen(this, 'acquire')
    const limits = waitLimits(options)
    const { timeout, signal } = limits
    if (signal?.aborted) throw signal.reason
    if (timeout !== 0) return this.#waits.add(limits)
    const permit = await this.#tryOnce(signal)
    if (permit === null) throw timedOut(this.#label, undefined)
    return permit
  }

  /**
   * Takes a permit if one is free now; it does not queue behind pending waits.
   *
   * @returns `null` when no permit is free.
   * @throws {IpcError} `ERR_UNAVAILABLE` when Redis cannot be reached, or does not answer within the lease;
   *   `ERR_CLOSED`, `ERR_REFUSED`, `ERR_CLOCK_SKEW`.
   */
  async tryAcquire(): Promise<RedisPermit | null> {
    RedisLimit.#checkOpen(this, 'tryAcquire')
    return this.#tryOnce(undefined)
  }

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
  async use<T>(fn: (permit: RedisPermit) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    RedisLimit.#checkOpen(this, 'use')
    checkUsed(fn)
    const permit = await this.acquire(options)
    try {
      return await fn(permit)
    } finally {
      await permit.release()
    }
  }

  /**
   * Reads the facts of Redis about the permits, and the pending waits of this process.
   *
   * @throws {IpcError} As {@link tryAcquire}.
   */
  async info(): Promise<RedisLimitInfo> {
    RedisLimit.#checkOpen(this, 'info')
    const taken = await this.#answered(this.#entries.count(), undefined)
    const { name, permits } = this
    const free = Math.max(permits - taken, 0)
    const { key } = this.#entries
    return { name, key, permits, taken, free, held: this.#held, pending: this.#waits.count }
  }

  /**
   * Closes this object: its pending waits reject with `ERR_CLOSED`, and so does every later call except this one.
   *
   * Permits stay held, and refreshed, until they are released. A connection of {@link connect} ends after the last
   * release.
   *
   * @returns A promise that settles when the connection has ended, or at once when permits are held.
   */
  close(): Promise<void> {
    if (!RedisLimit.#isClosing(this, 'close')) {
      this.#closing.abort(this.#closedError())
      this.#waits.failAll(() => this.#closedError())
      // Waits for the questions under way, for a limited time: otherwise a permit could be taken that no code releases.
      this.#alarm = setTimeout(() => {
        this.#waitedLong = true
        this.#endIfUnused()
      }, ANSWER_WITHIN).unref()
      this.#endIfUnused()
    }
    return this.#held > 0 ? DONE : this.#ended
  }

  /** The same as {@link close}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }

  /** Makes one try; returns the permit, or nothing. */
  async #take(): Promise<RedisPermit | undefined> {
    this.#asking += 1
    let entry: Entry | undefined
    try {
      entry = await this.#entries.take()
    } finally {
      this.#asking -= 1
      if (entry !== undefined) this.#held += 1
      else this.#endIfUnused()
    }
    return entry && redisPermitOf(entry, this.#label, this.#watcher)
  }

  async #tryOnce(signal: AbortSignal | undefined): Promise<RedisPermit | null> {
    const taking = this.#take()
    try {
      return (await this.#answered(taking, signal)) ?? null
    } catch (error) {
      // The permit may have been taken all the same, and the caller does not want it any more.
      taking.then(permit => permit?.release()).catch(() => {})
      throw error
    }
  }

  /** Waits for an answer of Redis, at most for the lease: later it would be useless. The signal and `close` end it too. */
  #answered<T>(answer: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const closing = this.#closing.signal
      const onAbort = { handleEvent: (): void => fail(reasonOf(signal?.aborted ? signal : closing)) }
      const alarm = setTimeout(() => {
        const why = `no answer within ${this.lease} ms`
        fail(unavailable(this.#label, why, this.#link.silence(this.lease)))
      }, this.lease)
      // The promise settles before the call of the signal, which may be foreign code.
      const settle = (): void => {
        clearTimeout(alarm)
        unlisten(closing, onAbort)
        unlisten(signal, onAbort)
      }
      const fail = (reason: unknown): void => {
        reject(reason)
        settle()
      }
      closing.addEventListener('abort', onAbort)
      answer.then(value => {
        resolve(value)
        settle()
      }, fail)
      try {
        signal?.addEventListener('abort', onAbort)
      } catch (error) {
        fail(error)
      }
    })
  }

  #endIfUnused(): void {
    if (this.#ending || !this.#closing.signal.aborted || this.#held > 0) return
    if (this.#asking > 0 && !this.#waitedLong) return
    this.#ending = true
    clearTimeout(this.#alarm)
    void this.#link.end().then(this.#end)
  }

  static #checkOpen(limit: RedisLimit, method: string): void {
    if (RedisLimit.#isClosing(limit, method)) throw limit.#closedError()
  }

  /** A method that was called without its limit throws. */
  static #isClosing(limit: RedisLimit, method: string): boolean {
    try {
      return limit.#closing.signal.aborted
    } catch {
      throw detached('limit', method)
    }
  }

  #closedError(): IpcError {
    return new IpcError('ERR_CLOSED', `the limit ${this.#label} is closed`)
  }
}

const DONE = resolved()
