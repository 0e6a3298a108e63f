import type { OpenedLimit } from '../../native.cjs'
import { checkEngine, type LimitEngine } from './engine.js'
import { tookAtOnce } from '../diagnostics/semaphores.js'
import { acrossCopies } from '../copies.js'
import { type Answer, checked, fromNative, wrongType } from '../errors.js'
import { LimitHandle } from './handle.js'
import { limitInfo, type LimitInfo } from './info.js'
import { tracing } from './lost.js'
import { native } from '../addon/native.js'
import {
  checkId,
  checkInteger,
  checkMode,
  checkOptions,
  checkOwner,
  checkTimeout,
  type Id,
  type Owner,
} from '../options.js'
import { Permit, taken } from './permit.js'
import type { PermitSource } from './permit-source.js'
import { warnDiffers } from './warnings.js'
import { takeSync } from '../waiting/blocking.js'
import { performance } from '../waiting/clock.js'
import { type WaitOptions, type WaitSyncOptions, waitLimits } from '../waiting/options.js'
import { evaluation } from '../waiting/settling.js'
import { warnUnverified } from '../waiting/unverified.js'
import { closeHandle, setReferenced, take } from '../waiting/waiting.js'

/** The option that selects the engine of a limit. */
export interface LimitEngineOptions {
  /**
   * The engine of the limit: `capabilities.limits` names those of this host, and the default. Without this option, a limit that
   * exists is found in either engine, and a new one gets the default.
   */
  engine?: LimitEngine | undefined
}

/** The options of {@link Limit.create}. */
export interface CreateLimitOptions extends LimitEngineOptions {
  /** The number of permits, 0 to 32,767. */
  permits: number
  /** Permission bits; `0o600` when missing. The umask does not change them. */
  mode?: number | undefined
}

/** The options of {@link Limit.open}. */
export interface OpenLimitOptions extends LimitEngineOptions {
  /** Another owner whose limit this call may open, besides this user and root: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** The options of {@link Limit.openOrCreate}. */
export interface OpenOrCreateLimitOptions extends CreateLimitOptions, OpenLimitOptions {}

/** SEMVMX of semop(2). */
const PERMITS_MAX = 32_767

/** The key of the constructor: only this module makes limits. */
const inside = Symbol('inside')

/**
 * A limit on how many holders run at a time, over all processes of this host.
 *
 * A permit has an owner, and comes back when its process dies, also by `kill -9`. The limit records the number of its permits
 * and the processes that hold them; {@link resize} changes the number while the limit is in use.
 *
 * @example
 * ```ts
 * const jobs = Limit.openOrCreate('/jobs', { permits: 4 })
 * await jobs.use(() => convert(file)) // at most 4 at a time, over all processes of this host
 * ```
 */
export class Limit implements PermitSource, Disposable {
  /** The name with its leading slash; `undefined` for a raw System V key. */
  readonly name: string | undefined
  /** The engine. */
  readonly engine: LimitEngine
  /** Whether this call made the limit. */
  readonly created: boolean

  readonly #handle: LimitHandle

  private constructor(key: symbol, id: Id, { handle, engine, created }: OpenedLimit) {
    if (key !== inside) throw wrongType('new Limit()', 'Limit.create, open or openOrCreate', undefined)
    this.name = typeof id === 'string' ? id : undefined
    this.engine = engine as LimitEngine
    this.created = created
    this.#handle = new LimitHandle(handle, id, this.engine)
  }

  /**
   * Makes a limit that must not exist yet.
   *
   * @param id - A name (1 to 250 bytes of UTF-8 without `..`; a missing leading slash is added) or a raw System V key.
   * @throws {IpcError} `EEXIST` when it exists already, `ENOSPC` at the host's limit, `ERR_WRONG_KIND` when a semaphore has the
   * name, `ERR_NAME_COLLISION`, `ERR_RESERVED_KEY`, `ERR_NOT_SUPPORTED` where the platform has no limits.
   *
   * @example
   * ```ts
   * using uploads = Limit.create('/uploads', { permits: 2 })
   * ```
   */
  static create(id: Id, options: CreateLimitOptions): Limit {
    const which = checkId(id)
    const engine = engineOf(options)
    const { permits, mode } = creation(options)
    const make = () => native.limitCreate(evaluation.session, which, permits, mode, engine)
    return Limit.#opened(which, make, permits, native.limitUnlink)
  }

  /**
   * Opens a limit that exists. A semaphore set that a program in another language made opens too: it has no recorded number
   * of permits and no holders.
   *
   * @throws {IpcError} `ENOENT` when it does not exist, `EACCES` without permission to read and change it,
   * `ERR_FOREIGN_OWNER` when its owner is neither this user nor root, `ERR_WRONG_KIND` when it is a semaphore,
   * `ERR_NAME_COLLISION` when it belongs to another name, `ERR_NOT_INITIALISED` when its creator died or hangs.
   *
   * @example
   * ```ts
   * using jobs = Limit.open('/jobs')
   * console.log(jobs.info().holders)
   * ```
   */
  static open(id: Id, options?: OpenLimitOptions): Limit {
    const which = checkId(id)
    const engine = engineOf(options)
    const owner = checkOwner(checkOptions(options).owner)
    return Limit.#opened(which, () => native.limitOpen(evaluation.session, which, owner, engine))
  }

  /**
   * Opens a limit, or makes it when it does not exist.
   *
   * A limit that exists keeps its number of permits. Where `permits` is another number, the process warns
   * (`OS_IPC_PERMITS_DIFFER`), once for each limit; {@link resize} changes the number.
   *
   * @throws {IpcError} As {@link open} and {@link create}, except `ENOENT` and `EEXIST`.
   *
   * @example
   * ```ts
   * using jobs = Limit.openOrCreate('/jobs', { permits: 4 })
   * if (jobs.permits !== 4) await jobs.resize(4)
   * ```
   */
  static openOrCreate(id: Id, options: OpenOrCreateLimitOptions): Limit {
    const which = checkId(id)
    const engine = engineOf(options)
    const { permits, mode } = creation(options)
    const owner = checkOwner(options.owner)
    const open = () => native.limitOpenOrCreate(evaluation.session, which, permits, mode, owner, engine)
    return Limit.#opened(which, open, permits)
  }

  /**
   * Removes a limit. All waits for its permits reject with `EIDRM`.
   *
   * @returns Whether it existed.
   * @throws {IpcError} `EPERM` when it belongs to another user, `ERR_WRONG_KIND` when it is a semaphore, `ERR_NAME_COLLISION`
   * when it belongs to another name.
   */
  static unlink(id: Id, options?: LimitEngineOptions): boolean {
    return checked(native.limitUnlinkId(checkId(id), engineOf(options)))
  }

  /**
   * Wraps the limit that `open` opens. If the stack has no room for the new object, the limit is closed again, after `undo`;
   * only the addon is called then.
   */
  static #opened(
    id: Id,
    open: () => Answer<OpenedLimit>,
    permits?: number,
    undo?: (handle: number) => unknown,
  ): Limit {
    const opened = open()
    if (typeof opened === 'string') throw fromNative(opened)
    const { handle, created, verified, differs } = opened
    try {
      const limit = new Limit(inside, id, opened)
      if (created && !verified) {
        warnUnverified(limit.#handle, '; it has no recorded number of permits and no holders')
      }
      if (differs !== undefined && permits !== undefined) warnDiffers(limit.#handle.label, differs, permits)
      return limit
    } catch (error) {
      undo?.(handle)
      native.dropHandle(handle)
      throw error
    }
  }

  /**
   * The number of permits that the limit records now; `undefined` for a set that another program made.
   *
   * @throws {IpcError} `EIDRM` when the limit was removed.
   */
  get permits(): number | undefined {
    return checked(native.limitPermits(this.#handle.use())) ?? undefined
  }

  /**
   * Takes a permit, and waits until one is free: first come, first served in this process.
   *
   * @throws {IpcError} `ETIMEDOUT`, which names the processes that hold the permits (`holders`), `EIDRM` when the limit was
   * removed, `ERR_CLOSED`; or the signal's reason.
   *
   * @example
   * ```ts
   * using permit = await jobs.acquire({ signal: AbortSignal.timeout(60_000) })
   * ```
   */
  async acquire(options?: WaitOptions): Promise<Permit> {
    const handle = this.#handle
    // The permit object is made first: once the permit is taken, no code may throw any more.
    const permit = new Permit(handle, false)
    const waiting = take(handle, waitLimits(options))
    if (waiting === undefined) return tracing ? taken(handle, permit) : permit
    await waiting
    return new Permit(handle, true)
  }

  /**
   * Takes a permit if one is free now; it does not queue behind pending waits.
   *
   * @returns `null` when no permit is free.
   * @throws {IpcError} `EIDRM` when the limit was removed.
   */
  tryAcquire(): Permit | null {
    const handle = this.#handle
    // The permit object is made first: once the permit is taken, no code may throw any more.
    const permit = new Permit(handle, false)
    const answer = native.limitTryAcquire(handle.use())
    if (answer !== true) {
      checked(answer)
      return null
    }
    handle.permits += 1
    try {
      tookAtOnce(handle)
    } catch {} // The stack has no room to tell subscribers. The permit is taken all the same.
    return tracing ? taken(handle, permit) : permit
  }

  /**
   * Takes a permit, and blocks this thread until one is free: for scripts and workers.
   *
   * The thread runs no other code meanwhile, not even the handler of a signal.
   *
   * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when the limit was removed.
   *
   * @example
   * ```ts
   * using permit = jobs.acquireSync({ timeout: 5_000 })
   * ```
   */
  acquireSync(options?: WaitSyncOptions): Permit {
    const handle = this.#handle
    handle.use()
    const timeout = checkTimeout(checkOptions(options).timeout)
    const permit = new Permit(handle, false)
    takeSync(handle, timeout)
    return tracing ? taken(handle, permit) : permit
  }

  /**
   * Runs a function while holding a permit, and releases the permit when the function has returned or thrown.
   *
   * The function gets the permit: it may release it early, and pass its `signal` on.
   *
   * @returns The result of the function.
   * @throws As {@link acquire}, and the error that the function throws.
   *
   * @example
   * ```ts
   * const page = await jobs.use(() => fetch(url), { timeout: 10_000 })
   * ```
   */
  async use<T>(fn: (permit: Permit) => T | Promise<T>, options?: WaitOptions): Promise<T> {
    if (typeof fn !== 'function') throw wrongType('fn', 'a function', fn)
    const permit = await this.acquire(options)
    try {
      return await fn(permit)
    } finally {
      permit.release()
    }
  }

  /**
   * Changes the number of permits, for all processes.
   *
   * A limit grows at once. It shrinks permit by permit: the call removes each free permit, and waits for the next one in the
   * queue like every waiter. If the call is aborted or its process dies, the limit keeps the number that it has reached. Of two
   * calls at the same time, each is done when the limit has its own number; the number of the last one stays.
   *
   * @param permits - 0 to 32,767; with 0, no call gets a permit until the limit grows again.
   * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when the limit was removed, `ERR_CLOSED`, `ERR_NOT_SUPPORTED` for a set that
   * another program made; or the signal's reason.
   *
   * @example
   * ```ts
   * await jobs.resize(8)
   * ```
   */
  async resize(permits: number, options?: WaitOptions): Promise<void> {
    const to = checkPermits(permits)
    const { timeout, signal } = waitLimits(options)
    const deadline = timeout === undefined ? undefined : performance.now() + timeout
    for (;;) {
      const left = deadline === undefined ? undefined : Math.max(deadline - performance.now(), 0)
      const step = take(this.#handle, { timeout: left, signal }, to)
      if (step === undefined) return
      await step
    }
  }

  /**
   * Reads the kernel's facts about the limit, and the pending waits of this process.
   *
   * @throws {IpcError} `EIDRM` when it was removed.
   */
  info(): LimitInfo {
    return limitInfo(checked(native.limitInfo(this.#handle.use())))
  }

  /** Makes pending waits of this handle keep the process alive, which is the default. */
  ref(): this {
    this.#handle.use()
    setReferenced(this.#handle, true)
    return this
  }

  /** Lets the process end while waits of this handle are pending. */
  unref(): this {
    this.#handle.use()
    setReferenced(this.#handle, false)
    return this
  }

  /**
   * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call except this one and `unlink()` throws it.
   *
   * Permits stay held until they are released. The limit itself stays for other handles.
   */
  close(): void {
    if (this.#handle.open) closeHandle(this.#handle)
  }

  /**
   * Removes the limit that this handle has open, before or after `close()`. Another limit that has its name by now stays. A
   * second call does nothing; a call that failed can be tried again.
   *
   * @throws {IpcError} `EPERM` when it belongs to another user.
   */
  unlink(): void {
    this.#handle.unlink()
  }

  /** The same as {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}

acrossCopies(Limit, 'Limit')

function engineOf(options: LimitEngineOptions | undefined): LimitEngine | undefined {
  return checkEngine(checkOptions(options).engine)
}

function creation(options: CreateLimitOptions): { permits: number; mode: number } {
  const { permits, mode } = checkOptions(options)
  return { permits: checkPermits(permits), mode: checkMode(mode) }
}

function checkPermits(permits: unknown): number {
  return checkInteger('permits', permits, 0, PERMITS_MAX)
}
