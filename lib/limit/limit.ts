import type { OpenedLimit } from '../../native.cjs'
import { checkEngine, type LimitEngine } from './engine.js'
import { tookAtOnce } from '../diagnostics/semaphores.js'
import { acrossCopies } from '../copies.js'
import { type Answer, checked, fromNative } from '../errors.js'
import { inspectable } from '../inspect.js'
import { checkUsed, detached, noConstructor } from '../misuse.js'
import { LimitHandle } from './handle.js'
import { inspected, limitInfo, type LimitInfo } from './info.js'
import { tracing } from './lost.js'
import { native } from '../addon/native.js'
import { checkId, checkInteger, checkMode, checkOptions, checkOwner, type Id } from '../options.js'
import {
  CREATE,
  type CreateLimitOptions,
  ENGINE,
  type LimitEngineOptions,
  OPEN,
  OPEN_OR_CREATE,
  type OpenLimitOptions,
  type OpenOrCreateLimitOptions,
} from './options.js'
import { type Permit, permitOf, taken } from './permit.js'
import type { PermitSource } from './permit-source.js'
import { warnDiffers } from './warnings.js'
import { takeSync } from '../waiting/blocking.js'
import { performance } from '../waiting/clock.js'
import { type WaitOptions, type WaitSyncOptions, waitLimits, waitSyncLimit } from '../waiting/options.js'
import { evaluation } from '../waiting/settling.js'
import { warnUnverified } from '../waiting/unverified.js'
import { closeHandle, setReferenced, take } from '../waiting/waiting.js'

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

  private constructor(key: symbol, id: Id, opened: OpenedLimit) {
    if (key !== inside) {
      throw noConstructor('Limit', ['create(id, { permits })', 'open(id)', 'openOrCreate(id, { permits })'])
    }
    this.name = typeof id === 'string' ? id : undefined
    this.engine = opened.engine as LimitEngine
    this.created = opened.created
    this.#handle = new LimitHandle(opened.handle, id, this.engine)
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
    const given = checkOptions(options, CREATE)
    const which = target(id, given)
    const { permits, mode } = creation(given)
    const make = () => native.limitCreate(evaluation.session, which.id, permits, mode, which.engine)
    return Limit.#opened(which.id, make, permits, native.limitUnlink)
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
    const given = checkOptions(options, OPEN)
    const which = target(id, given)
    const owner = checkOwner(given.owner)
    const open = () => native.limitOpen(evaluation.session, which.id, owner, which.engine)
    return Limit.#opened(which.id, open)
  }

  /**
   * Opens a limit, or makes it when it does not exist.
   *
   * A limit that exists keeps its number of permits. If `permits` is another number, the process warns
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
    const given = checkOptions(options, OPEN_OR_CREATE)
    const which = target(id, given)
    const { permits, mode } = creation(given)
    const owner = checkOwner(given.owner)
    const open = () =>
      native.limitOpenOrCreate(evaluation.session, which.id, permits, mode, owner, which.engine)
    return Limit.#opened(which.id, open, permits)
  }

  /**
   * Removes a limit. All waits for its permits reject with `EIDRM`.
   *
   * @returns Whether it existed.
   * @throws {IpcError} `EPERM` when it belongs to another user, `ERR_WRONG_KIND` when it is a semaphore, `ERR_NAME_COLLISION`
   * when it belongs to another name.
   */
  static unlink(id: Id, options?: LimitEngineOptions): boolean {
    const which = target(id, checkOptions(options, ENGINE))
    return checked(native.limitUnlinkId(which.id, which.engine))
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

  /** The handle of the limit on which `method` was called. */
  static #of(limit: Limit, method: string): LimitHandle {
    try {
      return limit.#handle
    } catch {
      throw detached('limit', method)
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
    const handle = Limit.#of(this, 'acquire')
    // The permit object is made first: once the permit is taken, no code may throw any more.
    const permit = permitOf(handle, false)
    const waiting = take(handle, waitLimits(options))
    if (waiting === undefined) return tracing ? taken(handle, permit) : permit
    await waiting
    return permitOf(handle, true)
  }

  /**
   * Takes a permit if one is free now; it does not queue behind pending waits.
   *
   * @returns `null` when no permit is free.
   * @throws {IpcError} `EIDRM` when the limit was removed.
   */
  tryAcquire(): Permit | null {
    const handle = Limit.#of(this, 'tryAcquire')
    // The permit object is made first: once the permit is taken, no code may throw any more.
    const permit = permitOf(handle, false)
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
    const handle = Limit.#of(this, 'acquireSync')
    handle.use()
    const timeout = waitSyncLimit(options)
    const permit = permitOf(handle, false)
    takeSync(handle, timeout)
    return tracing ? taken(handle, permit) : permit
  }

  /**
   * Runs a function while holding a permit, and releases the permit when the function has returned or thrown.
   *
   * The function gets the permit. It may release the permit early, and pass on its `signal`.
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
    Limit.#of(this, 'use')
    if (typeof fn !== 'function') checkUsed(fn)
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
   * A limit grows at once. It shrinks permit by permit: the call removes each free permit, and waits in the queue for the
   * next one. If the call is aborted or its process dies, the limit keeps the number that it has reached. If two calls
   * run at the same time, each resolves when the limit has reached the number of that call. The number of the last call
   * stays.
   *
   * @param permits - 0 to 32,767. After 0, no call gets a permit until the limit grows again.
   * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when the limit was removed, `ERR_CLOSED`, `ERR_NOT_SUPPORTED` for a set that
   * another program made; or the signal's reason.
   *
   * @example
   * ```ts
   * await jobs.resize(8)
   * ```
   */
  async resize(permits: number, options?: WaitOptions): Promise<void> {
    const handle = Limit.#of(this, 'resize')
    const to = checkPermits(permits)
    const { timeout, signal } = waitLimits(options)
    const deadline = timeout === undefined ? undefined : performance.now() + timeout
    for (;;) {
      const left = deadline === undefined ? undefined : Math.max(deadline - performance.now(), 0)
      const step = take(handle, { timeout: left, signal }, to)
      if (step === undefined) return
      await step
    }
  }

  /**
   * Reads the present facts about the limit, and the number of pending waits of this process.
   *
   * @throws {IpcError} `EIDRM` when it was removed.
   */
  info(): LimitInfo {
    return limitInfo(checked(native.limitInfo(Limit.#of(this, 'info').use())))
  }

  /** Makes pending waits of this handle keep the process alive, which is the default. */
  ref(): this {
    const handle = Limit.#of(this, 'ref')
    handle.use()
    setReferenced(handle, true)
    return this
  }

  /** Lets the process end while waits of this handle are pending. */
  unref(): this {
    const handle = Limit.#of(this, 'unref')
    handle.use()
    setReferenced(handle, false)
    return this
  }

  /**
   * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call except this one and `unlink()` throws it.
   *
   * Permits stay held until they are released. The limit itself stays for other handles.
   */
  close(): void {
    const handle = Limit.#of(this, 'close')
    if (handle.open) closeHandle(handle)
  }

  /**
   * Removes the limit of this handle, before or after `close()`. If another limit has the name by now, that limit stays.
   * A second call does nothing. A call that failed can be repeated.
   *
   * @throws {IpcError} `EPERM` when it belongs to another user.
   */
  unlink(): void {
    Limit.#of(this, 'unlink').unlink()
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

inspectable(Limit, inspected)

/** The identification of a limit: its id, a name with its slash, and its engine. */
interface Target {
  id: Id
  /** `undefined` for either engine; a new limit gets that of this host. */
  engine: LimitEngine | undefined
}

function target(id: unknown, given: { engine?: unknown }): Target {
  return { id: checkId(id), engine: checkEngine(given.engine) }
}

function creation({ permits, mode }: { permits?: unknown; mode?: unknown }) {
  return { permits: checkPermits(permits), mode: checkMode(mode) }
}

function checkPermits(permits: unknown): number {
  return checkInteger('permits', permits, 0, PERMITS_MAX)
}
