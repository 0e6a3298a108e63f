import { checked, fromNative } from '../errors.js'
import { native } from '../addon/native.js'
import type { SemaphoreHandle } from '../semaphore/handle.js'
import { guardPool } from '../waiting/pool.js'
import { expect, forget, type Waiter } from '../waiting/settling.js'
import { arrive, transit } from '../waiting/transit.js'

/** What a {@link Doze} reports. */
interface Outcomes {
  /** A unit came. Calls can end between this and `woken`, when other outcomes came at the same time. */
  granted: () => void
  woken: () => void
  broken: (error: unknown) => void
}

/**
 * A wait for a unit of a semaphore that wakes a side of a channel. It uses the addon's wait directly, and makes no
 * promise object.
 */
export class Doze implements Waiter {
  readonly #handle: SemaphoreHandle
  readonly #granted: () => void
  readonly #woken: () => void
  readonly #broken: (error: unknown) => void
  /** 0 when it does not wait. */
  #ticket = 0

  constructor(handle: SemaphoreHandle, { granted, woken, broken }: Outcomes) {
    this.#handle = handle
    this.#granted = granted
    this.#woken = woken
    this.#broken = broken
  }

  get waits(): boolean {
    return this.#ticket !== 0
  }

  /** Begins to wait. False if a unit was there; the call has then taken it. */
  begin(): boolean {
    const handle = this.#handle
    const ticket = native.startWait(handle.use(), handle.referenced)
    if (typeof ticket === 'string') throw fromNative(ticket)
    if (ticket === 0) {
      if (transit !== undefined) arrive()
      return false
    }
    try {
      expect(ticket, this, handle.referenced)
      handle.waits += 1
      this.#ticket = ticket
      guardPool()
    } catch (error) {
      native.cancelWait(handle.number, ticket)
      throw error
    }
    return true
  }

  /** Ends the wait. A unit on its way stays in the semaphore. */
  cancel(): void {
    if (this.#ticket === 0) return
    checked(native.cancelWait(this.#handle.number, this.#ticket))
    this.#over()
  }

  grant(): void {
    this.#over()
    this.#granted()
  }

  fail(): void {
    this.#over()
  }

  succeeded(): void {
    this.#woken()
  }

  failed(error: unknown): void {
    this.#broken(error)
  }

  #over(): void {
    if (forget(this.#ticket, this.#handle.referenced)) this.#handle.waits -= 1
    this.#ticket = 0
  }
}
