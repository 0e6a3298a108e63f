import { Counter } from './counter.js'
import { IpcError } from './errors.js'
import { native } from './native.js'
import type { Id } from './options.js'

/** Frees what nobody can use any more. Permits stay held: nobody released them. */
const unreachable = new FinalizationRegistry<number>(number => native.semaphoreDrop(number))

/** An open semaphore in the addon, and what of it is still in use. */
export class Handle {
  readonly number: number
  open = true
  /** Whether a pending wait keeps the process alive. */
  referenced = true
  /** Pending waits. */
  waits = 0
  /** Permits held. */
  permits = 0

  /** Of a POSIX semaphore that is open. */
  counter: Counter | undefined
  readonly #id: Id

  constructor(number: number, id: Id, posix: boolean) {
    this.number = number
    this.#id = id
    this.counter = posix ? new Counter(number) : undefined
    unreachable.register(this, number, this)
  }

  /** How messages call the semaphore. */
  get label(): string {
    return typeof this.#id === 'number' ? `with key ${this.#id}` : `'${this.#id}'`
  }

  /** The number, for a call that needs the semaphore open. */
  use(): number {
    if (!this.open) throw this.closedError()
    return this.number
  }

  closedError(): IpcError {
    return new IpcError('ERR_CLOSED', `the semaphore ${this.label} is closed`)
  }

  /** No more calls but the release of permits that are still held. */
  close(): void {
    if (!this.open) return
    this.open = false
    this.counter = undefined
    this.#dropIfUnused()
  }

  /** Gives back a permit. */
  release(): void {
    native.semaphoreRelease(this.number)
    this.permits -= 1
    if (!this.open) this.#dropIfUnused()
  }

  #dropIfUnused(): void {
    if (this.permits > 0) return
    unreachable.unregister(this)
    native.semaphoreDrop(this.number)
  }
}
