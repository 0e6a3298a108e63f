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
import { warnDiffers, warnUnverified } from './warnings.js'
import { takeSync } from '../waiting/blocking.js'
import { performance } from '../waiting/clock.js'
import { type WaitOptions, type WaitSyncOptions, waitLimits } from '../waiting/options.js'
import { evaluation } from '../waiting/settling.js'
import { closeHandle, setReferenced, take } from '../waiting/waiting.js'

/** What a limit is made of. */
export interface LimitEngineOptions {
  /** `'sysv'`, the only one so far: System V semaphores with undo. */
  engine?: LimitEngine | undefined
}

/** How a limit is made. */
export interface CreateLimitOptions extends LimitEngineOptions {
  /** How many permits there are, 0 to 32,767. */
  permits: number
  /** Permission bits; `0o600` when missing. The umask does not change them. */
  mode?: number | undefined
}

/** How a limit that exists is opened. */
export interface OpenLimitOptions extends LimitEngineOptions {
  /** Whose limit may be opened besides this user's and root's: a uid, or `'any'`. */
  owner?: Owner | undefined
}

/** How a limit is opened, and made when there is none. */
export interface OpenOrCreateLimitOptions extends CreateLimitOptions, OpenLimitOptions {}

/** SEMVMX of semop(2). */
const PERMITS_MAX = 32_767

/** Only this module makes limits. */
const inside = Symbol('inside')

/**
 * At most so many at a time, over all processes of this host.
 *
 * A permit has an owner, and comes back when its process dies, `kill -9` included. The limit records how many permits there
 * are and which processes hold them; {@link resize} changes the number while it is in use.
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
  /** What it is made of. */
  readonly engine: LimitEngine
  /** Whether this call made the limit. */
  readonly created: boolean

  readonly #handle: LimitHandle

  private constructor(key: symbol, handle: number, which: Target, created: boolean) {
    if (key !== inside) throw wrongType('new Limit()', 'Limit.create, open or openOrCreate', undefined)
    const { id, engine } = which
    this.name = typeof id === 'string' ? id : undefined
    this.engine = engine
    this.created = created
    this.#handle = new LimitHandle(handle, id, engine)
  }

  /**
   * Makes a limit that must not exist yet.
   *
   * @param id - A name (1 to 250 bytes of UTF-8 without `..`; a missing leading slash is added) or a raw System V key.
   * @throws {IpcError} `EEXIST` when there is one, `ENOSPC` at the host's limit, `ERR_WRONG_KIND` when a semaphore has the
   * name, `ERR_NAME_COLLISION`, `ERR_RESERVED_KEY`, `ERR_NOT_SUPPORTED` where the platform has no limits.
   *
   * @example
   * ```ts
   * using uploads = Limit.create('/uploads', { permits: 2 })
   * ```
   */
  static create(id: Id, options: CreateLimitOptions): Limit {
    const which = target(id, options)
    const { permits, mode } = creation(options)
    const make = () => native.limitCreate(evaluation.session, which.id, permits, mode)
    return Limit.#opened(which, make, permits, native.limitUnlink)
  }

  /**
   * Opens a limit that exists. A semaphore set that a program in another language made opens too: it has no recorded number
   * of permits and no holders.
   *
   * @throws {IpcError} `ENOENT` when there is none, `EACCES` without permission to read and change it,
   * `ERR_FOREIGN_OWNER` when it is neither this user's nor root's, `ERR_WRONG_KIND` when it is a semaphore,
   * `ERR_NAME_COLLISION` when it is another name's, `ERR_NOT_INITIALISED` when its creator died or hangs.
   *
   * @example
   * ```ts
   * using jobs = Limit.open('/jobs')
   * console.log(jobs.info().holders)
   * ```
   */
  static open(id: Id, options?: OpenLimitOptions): Limit {
    const which = target(id, options)
    const owner = checkOwner(checkOptions(options).owner)
    const handle = native.limitOpen(evaluation.session, which.id, owner)
    if (typeof handle === 'string') throw fromNative(handle)
    try {
      return new Limit(inside, handle, which, false)
    } catch (error) {
      native.dropHandle(handle)
      throw error
    }
  }

  /**
   * Opens a limit, or makes it when there is none.
   *
   * A limit that exists keeps its number of permits. Where `permits` is another number, the process warns
   * (`OS_IPC_PERMITS_DIFFER`), once for each limit; {@link resize} changes the number.
   *
   * @throws {IpcError} As {@link open} and {@link create}, but for `ENOENT` and `EEXIST`.
   *
   * @example
   * ```ts
   * using jobs = Limit.openOrCreate('/jobs', { permits: 4 })
   * if (jobs.permits !== 4) await jobs.resize(4)
   * ```
   */
  static openOrCreate(id: Id, options: OpenOrCreateLimitOptions): Limit {
    const which = target(id, options)
    const { permits, mode } = creation(options)
    const owner = checkOwner(options.owner)
    const open = () => native.limitOpenOrCreate(evaluation.session, which.id, permits, mode, owner)
    return Limit.#opened(which, open, permits)
  }

  /**
   * Removes a limit. Everybody who waits for a permit gets `EIDRM`.
   *
   * @returns Whether there was one.
   * @throws {IpcError} `EPERM` when it is somebody else's, `ERR_WRONG_KIND` when it is a semaphore, `ERR_NAME_COLLISION` when
   * it is another name's.
   */
  static unlink(id: Id, options?: LimitEngineOptions): boolean {
    return checked(native.limitUnlinkId(target(id, options).id))
  }

  /**
   * What `open` opens. If the stack has no room for an object for it, it is closed again, after `undo`: nothing but the
   * addon is called then.
   */
  static #opened(
    which: Target,
    open: () => Answer<OpenedLimit>,
    permits: number,
    undo?: (handle: number) => unknown,
  ): Limit {
    const opened = open()
    if (typeof opened === 'string') throw fromNative(opened)
    const { handle, created, verified, differs } = opened
    try {
      const limit = new Limit(inside, handle, which, created)
      if (created && !verified) warnUnverified(limit.#handle.label)
      if (differs !== undefined) warnDiffers(limit.#handle.label, differs, permits)
      return limit
    } catch (error) {
      undo?.(handle)
      native.dropHandle(handle)
      throw error
    }
  }

  /**
   * How many permits there are, as the limit records it now; `undefined` for a set that another program made.
   *
   * @throws {IpcError} `EIDRM` when the limit was removed.
   */
  get permits(): number | undefined {
    return checked(native.limitPermits(this.#handle.use())) ?? undefined
  }

  /**
   * Takes a permit, and waits until one is there: first come, first served in this process.
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
    // It is made first: once the permit is taken, nothing may throw any more.
    const permit = new Permit(handle, false)
    const waiting = take(handle, waitLimits(options))
    if (waiting === undefined) return tracing ? taken(handle, permit) : permit
    await waiting
    return new Permit(handle, true)
  }

  /**
   * Takes a permit if one is there now; it does not queue behind pending waits.
   *
   * @returns `null` when none is free.
   * @throws {IpcError} `EIDRM` when the limit was removed.
   */
  tryAcquire(): Permit | null {
    const handle = this.#handle
    // It is made first: once the permit is taken, nothing may throw any more.
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
   * Takes a permit, and blocks this thread until one is there: for scripts and workers.
   *
   * Nothing else runs in this thread meanwhile, not even a handler of a signal.
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
   * Runs a function while holding a permit, and gives the permit back when it returned or threw.
   *
   * The function gets the permit: it may release it early, and pass its `signal` on.
   *
   * @returns What the function returned.
   * @throws As {@link acquire}, and what the function throws.
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
   * Changes how many permits there are, for all processes.
   *
   * It grows at once. It shrinks permit by permit: each one that is free is taken away, and for the next one it waits in the
   * line like everybody else. Where it is aborted or its process dies, the limit has the number that it had reached. Of two
   * that resize at the same time, each is done when the limit has its own number; that of the last one stays.
   *
   * @param permits - 0 to 32,767; with 0, nobody gets a permit until it grows again.
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
   * What the kernel knows about the limit, and what this process waits for.
   *
   * @throws {IpcError} `EIDRM` when it was removed.
   */
  info(): LimitInfo {
    return limitInfo(checked(native.limitInfo(this.#handle.use())))
  }

  /** Makes pending waits of this handle keep the process alive, as they do at first. */
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
   * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call but this one and `unlink()` throws it.
   *
   * Permits stay held until they are released. The limit itself stays, for others.
   */
  close(): void {
    if (this.#handle.open) closeHandle(this.#handle)
  }

  /**
   * Removes the limit that this handle has open, before or after `close()`. Another one that has its name by now stays. A
   * second call does nothing; one that failed can be tried again.
   *
   * @throws {IpcError} `EPERM` when it is somebody else's.
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

/** Which limit: its id, a name with its slash, and what it is made of. */
interface Target {
  id: Id
  engine: LimitEngine
}

function target(id: unknown, options: LimitEngineOptions | undefined): Target {
  const checked = checkId(id)
  const engine = checkEngine(checkOptions(options).engine)
  if (typeof checked === 'number') return { id: checked, engine }
  return { id: checked.startsWith('/') ? checked : `/${checked}`, engine }
}

function creation(options: CreateLimitOptions): { permits: number; mode: number } {
  const { permits, mode } = checkOptions(options)
  return { permits: checkPermits(permits), mode: checkMode(mode) }
}

function checkPermits(permits: unknown): number {
  return checkInteger('permits', permits, 0, PERMITS_MAX)
}
