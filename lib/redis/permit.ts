import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { IpcError } from '../errors.js'
import { detached, noConstructor } from '../misuse.js'
import type { PermitLike } from '../limit/permit-source.js'
import type { Entry } from './entry.js'
import { leaseSignal } from '../lease/signal.js'
import { resolved } from '../promises.js'

/** The time between two refreshes, as a part of the lease; also the longest pause after a failed refresh. */
const REFRESH_EVERY = 1 / 3
const TRY_AGAIN = 1 / 20

/** The longest pause, in milliseconds, before a failed refresh is tried again, for every length of the lease. */
const TRY_AGAIN_WITHIN = 1_000

/** The source of the permit, which gets its events. */
export interface PermitWatcher {
  /** Redis knows that the permit is free. */
  onRelease(): void
  /** No further command will be sent for it. */
  onEnd(): void
}

/** The key of the constructor: only this module makes permits. */
const inside = Symbol('inside')

let make: (entry: Entry, label: string, watcher: PermitWatcher) => RedisPermit

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
export class RedisPermit implements PermitLike {
  readonly #entry: Entry
  readonly #label: string
  readonly #watcher: PermitWatcher
  #state: 'held' | 'released' | 'lost' = 'held'
  #released = false
  #releasing: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Ends a release that Redis does not answer. */
  #onLeaseOver: (() => void) | undefined
  #refreshing = false
  /** Whether the connection changed during a refresh: the answer may then be that of the old server. */
  #changed = false
  readonly #unlisten: () => void
  #refreshAt: number
  #trouble: unknown
  #lostError: IpcError | undefined
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined

  static {
    make = (entry, label, watcher) => new RedisPermit(inside, entry, label, watcher)
  }

  private constructor(key: symbol, entry: Entry, label: string, watcher: PermitWatcher) {
    if (key !== inside) throw noConstructor('RedisPermit', ['acquire()', 'tryAcquire()'], 'limit')
    this.#entry = entry
    this.#label = label
    this.#watcher = watcher
    const { lease } = entry
    this.#refreshAt = performance.now() + Math.min(lease.length * REFRESH_EVERY, lease.left() / 2)
    this.#unlisten = entry.onChange(() => this.#refreshSoon())
    this.#arm()
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

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
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#controller = new AbortController()
      this.#signal = leaseSignal(this.#controller, () => this.#check())
      if (this.#lostError !== undefined) this.#controller.abort(this.#lostError)
    }
    return this.#signal
  }

  /**
   * Releases the permit. A second call does nothing, and neither does the release of a lost permit. It never rejects: if Redis
   * cannot be reached, the permit is free when its lease is over.
   *
   * @returns A promise that settles when Redis has the release, when the first try failed, or when the lease is over.
   */
  release(): Promise<void> {
    try {
      this.#released = true
    } catch {
      throw detached('permit', 'release')
    }
    if (this.#state === 'held') {
      this.#state = 'released'
      this.#unlisten()
      this.#releasing = this.#giveBack()
    }
    return this.#releasing ?? DONE
  }

  /** Like {@link release}, without a promise: the permit is free as soon as the command reaches Redis. */
  [Symbol.dispose](): void {
    void this.release()
  }

  /** The same as {@link release}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }

  #giveBack(): Promise<void> {
    return new Promise(resolve => {
      this.#onLeaseOver = resolve
      void this.#entry.giveBack().then(() => {
        clearTimeout(this.#timer)
        this.#watcher.onEnd()
        resolve()
      })
      this.#watcher.onRelease()
    })
  }

  /** Sets the timer for the next work: a refresh, or the end of the lease. */
  #arm(): void {
    clearTimeout(this.#timer)
    const { lease } = this.#entry
    const refreshes = this.#state === 'held' && !this.#refreshing
    const refresh = refreshes ? this.#refreshAt - performance.now() : Number.POSITIVE_INFINITY
    const delay = Math.max(Math.min(refresh, lease.left()), 1)
    this.#timer = setTimeout(() => this.#tick(), Math.ceil(delay)).unref()
  }

  #tick(): void {
    this.#check()
    if (this.#state === 'lost') return
    if (this.#state === 'released') {
      if (this.#entry.lease.left() === 0) this.#onLeaseOver?.()
      else this.#arm()
      return
    }
    if (!this.#refreshing && performance.now() >= this.#refreshAt) void this.#refresh()
    this.#arm()
  }

  /** Declares the permit lost if it is time. */
  #check(): void {
    if (this.#state === 'held' && this.#entry.lease.left() === 0) {
      this.#lose('it was not refreshed in time')
    }
  }

  /** Refreshes at once: a server that comes back may have forgotten this permit, and would give it to other processes. */
  #refreshSoon(): void {
    if (this.#state !== 'held') return
    if (this.#refreshing) this.#changed = true
    else void this.#refresh()
  }

  async #refresh(): Promise<void> {
    const { length } = this.#entry.lease
    const start = performance.now()
    this.#refreshing = true
    this.#changed = false
    try {
      const kept = await this.#entry.keep()
      if (this.#state !== 'held') return
      if (!kept) return this.#lose('Redis does not have it any more')
      this.#trouble = undefined
      this.#refreshAt = this.#changed ? start : start + length * REFRESH_EVERY
    } catch (error) {
      this.#trouble = error
      this.#refreshAt = performance.now() + Math.min(length * TRY_AGAIN, TRY_AGAIN_WITHIN)
    } finally {
      this.#refreshing = false
      if (this.#state === 'held') this.#arm()
    }
  }

  #lose(why: string): void {
    const error = new IpcError('ERR_PERMIT_LOST', `the permit of ${this.#label} is lost: ${why}`, {
      hint: 'another process may hold it now: stop the work that it is for, and acquire another permit',
      cause: this.#trouble,
    })
    this.#lostError = error
    this.#state = 'lost'
    this.#unlisten()
    clearTimeout(this.#timer)
    // Redis may still have it, if only the time of this process was over.
    void this.#entry.giveBack().then(() => this.#watcher.onEnd())
    if (this.#controller !== undefined) this.#controller.abort(error)
    else {
      process.emitWarning(`${error.message}, and no code reads its signal`, { code: 'OS_IPC_PERMIT_LOST' })
    }
  }
}

/** The permit of an entry that Redis has granted. */
export function redisPermitOf(entry: Entry, label: string, watcher: PermitWatcher): RedisPermit {
  return make(entry, label, watcher)
}

const DONE = resolved()
