import { checked, fromNative, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { Backend, Id } from '../options.js'
import { Unreachable } from '../addon/unreachable.js'

/** Frees what nobody can use any more. Permits stay held: nobody released them. */
const unreachable = new Unreachable<Handle>(number => void native.semaphoreDrop(number))

/** An open semaphore in the addon, and what of it is still in use. */
export class Handle {
  readonly number: number
  /** With its slash; `undefined` for a raw key. */
  readonly name: string | undefined
  /** The raw System V key, if it was opened by one. */
  readonly key: number | undefined
  readonly backend: Backend
  open = true
  /** Whether a pending wait keeps the process alive. */
  referenced = true
  /** Pending waits. */
  waits = 0
  /** Permits held: counted where the addon hands one over, before there is a `Permit` for it. */
  permits = 0

  /** Which semaphore it was, once the addon knows no more of the number. */
  #identity: object | undefined
  #unlinked = false

  constructor(number: number, id: Id, backend: Backend) {
    this.number = number
    this.name = typeof id === 'number' ? undefined : id
    this.key = typeof id === 'number' ? id : undefined
    this.backend = backend
    unreachable.watch(this, number)
  }

  /** How messages of errors call the semaphore. */
  get label(): string {
    return this.key === undefined ? `'${this.name}'` : `with key ${this.key}`
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
    this.#dropIfUnused()
  }

  /** Gives back a permit. */
  release(): void {
    const failure = native.semaphoreRelease(this.number)
    if (typeof failure === 'string') throw fromNative(failure)
    this.permits -= 1
    if (this.open) return
    try {
      this.#dropIfUnused()
    } catch {} // The stack has no room for it. The permit is given back all the same, and the garbage collector drops the handle.
  }

  /** Removes the semaphore, open or closed. */
  unlink(): void {
    if (this.#unlinked) return
    if (this.#identity === undefined) checked(native.semaphoreUnlink(this.number))
    else checked(native.semaphoreRemoveClosed(this.#identity))
    this.#unlinked = true
  }

  #dropIfUnused(): void {
    if (this.permits > 0) return
    this.#identity = checked(native.semaphoreIdentity(this.number))
    unreachable.forget(this)
    checked(native.semaphoreDrop(this.number))
  }
}
