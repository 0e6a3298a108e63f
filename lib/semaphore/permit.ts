import { acrossCopies } from '../copies.js'
import { gaveBack, heldSince } from '../diagnostics/semaphores.js'
import type { Handle } from './handle.js'
import type { PermitLike } from './permit-source.js'

/**
 * A unit of a semaphore that somebody holds.
 *
 * On System V the kernel gives it back when the process dies, `kill -9` included. A permit that is only forgotten
 * stays held as long as the process lives.
 *
 * @example
 * ```ts
 * {
 *   using permit = await semaphore.acquire()
 *   // at most as many of us are here as the semaphore has permits
 * }
 * ```
 */
export class Permit implements PermitLike {
  readonly #handle: Handle
  readonly #since = heldSince()
  #released = false
  #signal: AbortSignal | undefined

  /** @internal */
  constructor(handle: Handle) {
    this.#handle = handle
  }

  /** Whether it was given back. */
  get released(): boolean {
    return this.#released
  }

  /**
   * Never aborts: a permit of this machine is held until it is released, or until its process dies. It is here for
   * code that takes its permits from any {@link PermitSource}.
   *
   * @example
   * ```ts
   * await jobs.use(({ signal }) => fetch(url, { signal }))
   * ```
   */
  get signal(): AbortSignal {
    // One each, and only for those who ask: on a shared one, the listeners of all permits would pile up.
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  /**
   * Gives the permit back; a second call does nothing.
   *
   * It works after the semaphore's `close()` too. Where the semaphore was removed, the permit went with it.
   *
   * @throws {IpcError} `ERANGE` when somebody filled the counter meanwhile; the permit stays held then.
   */
  release(): void {
    if (this.#released) return
    this.#handle.release()
    this.#released = true
    try {
      gaveBack(this.#handle, this.#since)
    } catch {} // The stack has no room to tell subscribers. The permit is given back all the same.
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
