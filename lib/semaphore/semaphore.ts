import type { OpenedSemaphore } from '../../native.cjs'
import { capabilities, postMax, valueMax } from '../addon/capabilities.js'
import { posted, tookAtOnce } from '../diagnostics/semaphores.js'
import { acrossCopies } from '../copies.js'
import { type Answer, checked, fromNative, wrongValue } from '../errors.js'
import { inspectable } from '../inspect.js'
import { detached, noConstructor } from '../misuse.js'
import { SemaphoreHandle } from './handle.js'
import { refuseWordsOfLimits } from './words-of-limits.js'
import { native } from '../addon/native.js'
import {
  checkBackend,
  checkCount,
  checkId,
  checkInitial,
  checkMode,
  checkOptions,
  checkOwner,
  type Backend,
  type Id,
} from '../options.js'
import {
  BACKEND,
  type BackendOptions,
  CREATE,
  type CreateSemaphoreOptions,
  OPEN,
  OPEN_OR_CREATE,
  type OpenOrCreateSemaphoreOptions,
  type OpenSemaphoreOptions,
} from './options.js'
import { inspected, semaphoreInfo, type SemaphoreInfo } from './info.js'
import { takeSync } from '../waiting/blocking.js'
import { type WaitOptions, type WaitSyncOptions, waitLimits, waitSyncLimit } from '../waiting/options.js'
import { evaluation } from '../waiting/settling.js'
import { warnUnverified } from '../waiting/unverified.js'
import { arrive, transit } from '../waiting/transit.js'
import { closeHandle, setReferenced, take } from '../waiting/waiting.js'
import { rejected, resolved } from '../promises.js'

/** The result of a `wait()` that did not have to wait. */
const DONE = resolved()

/** The key of the constructor: only this module makes semaphores. */
const inside = Symbol('inside')

/**
 * A named counting semaphore of the operating system, shared by every process that opens it.
 *
 * Its units have no owner: they are signals between processes. To limit how many holders run at a time, use a {@link Limit}:
 * its permits have an owner, and come back when the owner dies.
 *
 * Semantics: {@link https://man7.org/linux/man-pages/man2/semop.2.html semop(2)},
 * {@link https://man7.org/linux/man-pages/man7/sem_overview.7.html sem_overview(7)}.
 *
 * @example
 * ```ts
 * const ready = Semaphore.openOrCreate('/ready', { initial: 0 })
 * await ready.wait() // until another process calls ready.post()
 * ```
 */
export class Semaphore implements Disposable, AsyncDisposable {
  /** The name with its leading slash; `undefined` for a raw System V key. */
  readonly name: string | undefined
  /** The backend. */
  readonly backend: Backend
  /** Whether this call made the semaphore. */
  readonly created: boolean

  readonly #handle: SemaphoreHandle

  private constructor(key: symbol, handle: number, which: Target, created: boolean) {
    if (key !== inside) {
      throw noConstructor('Semaphore', [
        'create(id, { initial })',
        'open(id)',
        'openOrCreate(id, { initial })',
      ])
    }
    const { id, backend } = which
    this.name = typeof id === 'string' ? id : undefined
    this.backend = backend
    this.created = created
    this.#handle = new SemaphoreHandle(handle, id, backend)
  }

  /**
   * Makes a semaphore that must not exist yet.
   *
   * @param id - A name (1 to 250 bytes of UTF-8 without `..`; a missing leading slash is added) or a raw System V key.
   * @throws {IpcError} `EEXIST` when it exists already, `ENOSPC` at the host's limit, `ERR_NAME_COLLISION`, `ERR_RESERVED_KEY`.
   *
   * @example
   * ```ts
   * using ready = Semaphore.create('/ready', { initial: 0 })
   * ```
   */
  static create(id: Id, options: CreateSemaphoreOptions): Semaphore {
    const given = checkOptions(options, CREATE)
    const which = target(id, given)
    const { initial, mode } = creation(given, which.backend)
    const { id: named, backend } = which
    const make = () => native.semaphoreCreate(evaluation.session, named, backend, initial, mode)
    return Semaphore.#opened(which, make, native.semaphoreUnlink)
  }

  /**
   * Opens an existing semaphore of any program: here a name may have 255 bytes (POSIX with glibc: 251), and may contain `..`.
   *
   * @throws {IpcError} `ENOENT` when it does not exist, `EACCES` without permission to read and change it,
   * `ERR_FOREIGN_OWNER` when its owner is neither this user nor root, `ERR_NAME_COLLISION` when it belongs to another name,
   * `ERR_WRONG_KIND` when it is a limit, `ERR_NOT_INITIALISED` when its creator died or hangs.
   *
   * @example
   * ```ts
   * using ready = Semaphore.open('/ready')
   * ready.post()
   * ```
   */
  static open(id: Id, options?: OpenSemaphoreOptions): Semaphore {
    const given = checkOptions(options, OPEN)
    const which = target(id, given)
    const owner = checkOwner(given.owner)
    const handle = native.semaphoreOpen(evaluation.session, which.id, which.backend, owner)
    if (typeof handle === 'string') throw fromNative(handle)
    try {
      return new Semaphore(inside, handle, which, false)
    } catch (error) {
      native.dropHandle(handle)
      throw error
    }
  }

  /**
   * Opens a semaphore, or makes it when it does not exist. `initial` applies only to a new semaphore.
   *
   * If several processes call it at once, exactly one of them makes the semaphore.
   *
   * @throws {IpcError} As {@link open} and {@link create}, except `ENOENT` and `EEXIST`.
   *
   * @example
   * ```ts
   * using ready = Semaphore.openOrCreate('/ready', { initial: 0 })
   * if (ready.created) console.log('the first one here')
   * ```
   */
  static openOrCreate(id: Id, options: OpenOrCreateSemaphoreOptions): Semaphore {
    const given = checkOptions(options, OPEN_OR_CREATE)
    const which = target(id, given)
    const { initial, mode } = creation(given, which.backend)
    const owner = checkOwner(given.owner)
    const { id: named, backend } = which
    const open = () => native.semaphoreOpenOrCreate(evaluation.session, named, backend, initial, mode, owner)
    return Semaphore.#opened(which, open)
  }

  /**
   * Removes a semaphore. On System V all waits on it reject with `EIDRM`; a POSIX semaphore stays, without its name, for
   * the processes that have it open.
   *
   * @returns Whether it existed.
   * @throws {IpcError} `EPERM` when it belongs to another user, `ERR_NAME_COLLISION` when it belongs to another name.
   */
  static unlink(id: Id, options?: BackendOptions): boolean {
    const which = target(id, checkOptions(options, BACKEND))
    return checked(native.semaphoreUnlinkId(which.id, which.backend))
  }

  /**
   * Wraps the semaphore that `open` opens. If the stack has no room for the new object, the semaphore is closed again, after
   * `undo`; only the addon is called then.
   */
  static #opened(
    which: Target,
    open: () => Answer<OpenedSemaphore>,
    undo?: (handle: number) => unknown,
  ): Semaphore {
    const opened = open()
    if (typeof opened === 'string') throw fromNative(opened)
    const { handle, created, verified } = opened
    try {
      const semaphore = new Semaphore(inside, handle, which, created)
      if (created && !verified) warnUnverified(semaphore.#handle)
      return semaphore
    } catch (error) {
      undo?.(handle)
      native.dropHandle(handle)
      throw error
    }
  }

  /** The handle of the semaphore on which `method` was called. */
  static #of(semaphore: Semaphore, method: string): SemaphoreHandle {
    try {
      return semaphore.#handle
    } catch {
      throw detached('semaphore', method)
    }
  }

  /**
   * The counter: the number of units that are available now.
   *
   * @throws {IpcError} `EIDRM` when it was removed, `ENOSYS` where the platform cannot tell (`capabilities.value`).
   */
  get value(): number {
    return checked(native.semaphoreValue(this.#handle.use()))
  }

  /**
   * Adds all units or none, and wakes one wait for each unit.
   *
   * @param count - 1 to 32,767, with the backend `'posix'` on Linux 1 to 1,000,000; 1 when missing.
   * @throws {IpcError} `ERANGE` (POSIX: `EOVERFLOW`) when the counter would pass its limit, `EIDRM` when it was removed.
   */
  post(count = 1): void {
    const handle = Semaphore.#of(this, 'post')
    const number = handle.use()
    const failure = native.semaphorePost(number, count === 1 ? 1 : this.#checkCount(count))
    if (typeof failure === 'string') throw fromNative(failure)
    try {
      posted(handle, count)
    } catch {} // The stack has no room to tell subscribers. The units are there all the same.
  }

  /**
   * Takes a unit if one is available now; it does not queue behind pending waits.
   *
   * @returns False when the counter is 0.
   * @throws {IpcError} `EIDRM` when it was removed.
   */
  tryWait(): boolean {
    const handle = Semaphore.#of(this, 'tryWait')
    const number = handle.use()
    const taken = native.semaphoreTryWait(number)
    if (taken === true) {
      try {
        tookAtOnce(handle)
        // This comes last: after it, the end of a worker can lose the unit.
        if (transit !== undefined) arrive()
      } catch {
        if (transit !== undefined) transit[0] = 0
      } // The stack has no room to tell subscribers. The unit is taken all the same.
      return true
    }
    return checked<boolean>(taken)
  }

  /**
   * Takes a unit, and waits until one is available: first come, first served in this process.
   *
   * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when it was removed, `ERR_CLOSED`; or the signal's reason.
   *
   * @example
   * ```ts
   * await ready.wait({ timeout: 5_000 })
   * ```
   */
  wait(options?: WaitOptions): Promise<void> {
    try {
      return take(Semaphore.#of(this, 'wait'), waitLimits(options)) ?? DONE
    } catch (error) {
      return rejected(error)
    }
  }

  /**
   * Takes a unit, and blocks this thread until one is available: for scripts and workers.
   *
   * The thread runs no other code meanwhile, not even the handler of a signal.
   *
   * @throws {IpcError} `ETIMEDOUT`, `EIDRM` when it was removed.
   */
  waitSync(options?: WaitSyncOptions): void {
    const handle = Semaphore.#of(this, 'waitSync')
    handle.use()
    takeSync(handle, waitSyncLimit(options))
  }

  /**
   * Reads the kernel's facts about the semaphore, and the number of pending waits of this process.
   *
   * @throws {IpcError} `EIDRM` when it was removed.
   */
  info(): SemaphoreInfo {
    return semaphoreInfo(checked(native.semaphoreInfo(Semaphore.#of(this, 'info').use())))
  }

  /** Makes pending waits of this handle keep the process alive, which is the default. */
  ref(): this {
    const handle = Semaphore.#of(this, 'ref')
    handle.use()
    setReferenced(handle, true)
    return this
  }

  /** Lets the process end while waits of this handle are pending. */
  unref(): this {
    const handle = Semaphore.#of(this, 'unref')
    handle.use()
    setReferenced(handle, false)
    return this
  }

  /**
   * Closes this handle: its pending waits reject with `ERR_CLOSED`, and every later call except this one and `unlink()` throws it.
   * The semaphore itself stays for other handles.
   */
  close(): void {
    const handle = Semaphore.#of(this, 'close')
    if (handle.open) closeHandle(handle)
  }

  /**
   * Removes the semaphore of this handle, before or after `close()`. If another semaphore has the name by now, that
   * semaphore stays. A second call does nothing. A call that failed can be repeated.
   *
   * @throws {IpcError} `EPERM` (POSIX: `EACCES`) when it belongs to another user.
   */
  unlink(): void {
    Semaphore.#of(this, 'unlink').unlink()
  }

  /** The same as {@link close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #checkCount(count: number): number {
    return checkCount(count, postMax(this.backend))
  }

  /** The same as {@link close}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close()
  }
}

acrossCopies(Semaphore, 'Semaphore')

inspectable(Semaphore, inspected)

refuseWordsOfLimits(Semaphore.prototype)

/** The identification of a semaphore: its id, a name with its slash, and its backend. */
interface Target {
  id: Id
  backend: Backend
}

function target(id: unknown, given: { backend?: unknown }): Target {
  const checked = checkId(id)
  const backend = checkBackend(given.backend)
  if (typeof checked === 'number') {
    if (backend !== undefined && backend !== 'sysv') {
      throw wrongValue(`a number is a System V key: it has no backend '${backend}'`)
    }
    return { id: checked, backend: 'sysv' }
  }
  return { id: checked, backend: backend ?? capabilities.defaultBackend }
}

function creation({ initial, mode }: { initial?: unknown; mode?: unknown }, backend: Backend) {
  return { initial: checkInitial(initial, valueMax(backend)), mode: checkMode(mode) }
}
