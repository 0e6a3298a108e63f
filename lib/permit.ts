import { gaveBack, heldSince } from './diagnostics.js'
import type { Handle } from './handle.js'

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
export class Permit implements Disposable, AsyncDisposable {
  readonly #handle: Handle
  readonly #since = heldSince()
  #released = false

  /** @internal */
  constructor(handle: Handle) {
    this.#handle = handle
    handle.permits += 1
  }

  /** Whether it was given back. */
  get released(): boolean {
    return this.#released
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
    gaveBack(this.#handle, this.#since)
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
