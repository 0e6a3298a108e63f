import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { IpcError } from '../errors.js'
import type { PermitLike } from '../limit/permit-source.js'
import type { Entry } from './entry.js'
import { leaseSignal } from '../lease/signal.js'

/** How often a permit is refreshed, as a part of its lease; and how soon again when that failed. */
const REFRESH_EVERY = 1 / 3
const TRY_AGAIN = 1 / 20

/** The longest pause before a refresh that failed is tried again, in milliseconds, however long the lease is. */
const TRY_AGAIN_WITHIN = 1_000

/** Who gave the permit, and wants to hear of it. */
export interface PermitWatcher {
  /** Redis was told that the permit is free. */
  onRelease(): void
  /** Nothing more is to be sent for it. */
  onEnd(): void
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
  /** The connection changed while a refresh was under way: its answer may be the old server's. */
  #changed = false
  readonly #unlisten: () => void
  #refreshAt: number
  #trouble: unknown
  #lostError: IpcError | undefined
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined

  /** @internal */
  constructor(entry: Entry, label: string, watcher: PermitWatcher) {
    this.#entry = entry
    this.#label = label
    this.#watcher = watcher
    const { lease } = entry
    this.#refreshAt = performance.now() + Math.min(lease.length * REFRESH_EVERY, lease.left() / 2)
    this.#unlisten = entry.onChange(() => this.#refreshSoon())
    this.#arm()
  }

  /** Whether it was given back. */
  get released(): boolean {
    return this.#released
  }

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
  get signal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#controller = new AbortController()
      this.#signal = leaseSignal(this.#controller, () => this.#check())
      if (this.#lostError !== undefined) this.#controller.abort(this.#lostError)
    }
    return this.#signal
  }

  /**
   * Gives the permit back; a second call does nothing, and neither does that of a lost permit. It never rejects: where
   * Redis cannot be told, the permit is free when its lease is over.
   *
   * @returns A promise that settles when Redis has it back, or when the first try to tell it failed, or when the lease is over.
   */
  release(): Promise<void> {
    this.#released = true
    if (this.#state === 'held') {
      this.#state = 'released'
      this.#unlisten()
      this.#releasing = this.#giveBack()
    }
    return this.#releasing ?? DONE
  }

  /** As {@link release}, without a promise: the permit goes back as soon as Redis hears of it. */
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

  /** Wakes up when there is something to do: a refresh, or the end of the lease. */
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

  /** Is it time to know that it is lost? */
  #check(): void {
    if (this.#state === 'held' && this.#entry.lease.left() === 0) {
      this.#lose('it was not refreshed in time')
    }
  }

  /** A server that comes back may have forgotten this permit, and give it to others at once: ask it. */
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
      hint: 'others may hold it by now: stop what it was for, and acquire another one',
      cause: this.#trouble,
    })
    this.#lostError = error
    this.#state = 'lost'
    this.#unlisten()
    clearTimeout(this.#timer)
    // It may still be there, if it was only our own time that was over.
    void this.#entry.giveBack().then(() => this.#watcher.onEnd())
    if (this.#controller !== undefined) this.#controller.abort(error)
    else {
      process.emitWarning(`${error.message}, and nobody looks at its signal`, { code: 'OS_IPC_PERMIT_LOST' })
    }
  }
}

const DONE = Promise.resolve()
