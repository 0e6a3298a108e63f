import { acrossCopies } from '../copies.js'
import { inspectable } from '../inspect.js'
import { detached, noConstructor } from '../misuse.js'
import { gaveBack, heldSince } from '../diagnostics/semaphores.js'
import type { LimitHandle } from './handle.js'
import { tracing, unwatch, watch } from './lost.js'
import type { PermitLike } from './permit-source.js'

/**
 * Sets whether the program that this process becomes (`process.execve`) keeps a permit: `permit[handOn](true)`. `os-ipc run`
 * uses it when it becomes its command.
 */
const handOn = Symbol.for('os-ipc.handOn')

/** The key of the constructor: only this module makes permits. */
const inside = Symbol('inside')

let make: (handle: LimitHandle, watched: boolean) => Permit

/**
 * A permit of a {@link Limit} that this process holds.
 *
 * The permit comes back when the process dies, also by `kill -9`. A permit that the program forgets stays held as long as
 * the process lives.
 *
 * @example
 * ```ts
 * {
 *   using permit = await limit.acquire()
 *   // at most as many processes are here as the limit has permits
 * }
 * ```
 */
export class Permit implements PermitLike {
  readonly #handle: LimitHandle
  readonly #since = heldSince()
  #released = false
  #signal: AbortSignal | undefined

  readonly #watched: boolean

  private constructor(key: symbol, handle: LimitHandle, watched: boolean) {
    if (key !== inside) throw noConstructor('Permit', ['acquire()', 'tryAcquire()', 'acquireSync()'], 'limit')
    this.#handle = handle
    this.#watched = watched
    if (watched) watch(this, handle.label)
  }

  static {
    make = (handle, watched) => new Permit(inside, handle, watched)
    inspectable(this, permit => ({
      limit: permit.#handle.name ?? permit.#handle.key,
      released: permit.#released,
    }))
    Object.defineProperty(this.prototype, handOn, {
      __proto__: null,
      value(this: Permit, handedOn: boolean) {
        this.#handle.handOn(handedOn)
      },
    } as PropertyDescriptor)
  }

  /** Whether it was released. */
  get released(): boolean {
    return this.#released
  }

  /**
   * Never aborts: a permit of this machine is held until it is released, or until its process dies. The signal serves
   * code that takes its permits from any {@link PermitSource}.
   *
   * @example
   * ```ts
   * await jobs.use(({ signal }) => fetch(url, { signal }))
   * ```
   */
  get signal(): AbortSignal {
    // Each permit has its own signal, made on the first read: on a shared one, the listeners of all permits would pile up.
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  /**
   * Releases the permit; a second call does nothing.
   *
   * It works after the limit's `close()` too. If the limit was removed, its permits were removed with it.
   *
   * @throws {IpcError} `ERANGE` when another program filled the counter meanwhile. The permit then stays held.
   */
  release(): void {
    if (Permit.#isReleased(this)) return
    this.#handle.release()
    this.#released = true
    try {
      if (this.#watched) unwatch(this)
      gaveBack(this.#handle, this.#since)
    } catch {} // The stack has no room to tell subscribers. The permit is given back all the same.
  }

  /** A method that was called without its permit throws. */
  static #isReleased(permit: Permit): boolean {
    try {
      return permit.#released
    } catch {
      throw detached('permit', 'release')
    }
  }

  /** The same as {@link release}. */
  [Symbol.dispose](): void {
    this.release()
  }

  /** The same as {@link release}. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.release()
  }
}

acrossCopies(Permit, 'Permit')

/** A new permit. If it is `watched`, the program is warned when it forgets it. */
export function permitOf(handle: LimitHandle, watched: boolean): Permit {
  return make(handle, watched)
}

/** A permit object that was made before the permit was taken. If all permits are watched, it is a new object instead. */
export function taken(handle: LimitHandle, permit: Permit): Permit {
  try {
    return tracing ? make(handle, true) : permit
  } catch {
    return permit // The stack has no room for another one.
  }
}
