import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { LimitEngine } from '../limit/engine.js'
import type { Backend, Id } from '../options.js'
import { Unreachable } from '../addon/unreachable.js'

/** Frees what nobody can use any more. Permits stay held: nobody released them. */
const unreachable = new Unreachable<Handle>(number => void native.dropHandle(number))

/** An open semaphore or limit in the addon, and what of it is still in use. */
export abstract class Handle {
  readonly number: number
  /** With its slash; `undefined` for a raw key. */
  readonly name: string | undefined
  /** The raw System V key, if it was opened by one. */
  readonly key: number | undefined
  open = true
  /** Whether a pending wait keeps the process alive. */
  referenced = true
  /** Pending waits. */
  waits = 0
  /** Permits held: counted where the addon hands one over, before there is a `Permit` for it. */
  permits = 0

  /** What messages call it. */
  abstract readonly noun: 'semaphore' | 'limit'
  /** Whether what is taken from it is a permit. */
  abstract readonly permit: boolean
  /** What it is made of. */
  abstract readonly backend: Backend | LimitEngine

  /** Which object it was, once the addon knows no more of the number. */
  #identity: object | undefined
  #unlinked = false

  constructor(number: number, id: Id) {
    this.number = number
    this.name = typeof id === 'number' ? undefined : id
    this.key = typeof id === 'number' ? id : undefined
    unreachable.watch(this, number)
  }

  /** How messages of errors call the object. */
  get label(): string {
    return this.key === undefined ? `'${this.name}'` : `with key ${this.key}`
  }

  /** The number, for a call that needs the object open. */
  use(): number {
    if (!this.open) throw this.closedError()
    return this.number
  }

  closedError(): IpcError {
    return new IpcError('ERR_CLOSED', `the ${this.noun} ${this.label} is closed`)
  }

  /** The error of a wait whose time is over. */
  abstract timedOut(): IpcError

  /** No more calls but the release of permits that are still held. */
  close(): void {
    if (!this.open) return
    this.open = false
    this.dropIfUnused()
  }

  /** Removes the object, open or closed. */
  unlink(): void {
    if (this.#unlinked) return
    if (this.#identity === undefined) this.remove()
    else this.removeClosed(this.#identity)
    this.#unlinked = true
  }

  /** Forgets it in the addon, unless permits of it are held. */
  protected dropIfUnused(): void {
    if (this.permits > 0) return
    this.#identity = this.identify()
    unreachable.forget(this)
    checked(native.dropHandle(this.number))
  }

  /** Which object it is. */
  protected abstract identify(): object
  /** Removes the object that is open. */
  protected abstract remove(): void
  /** Removes the object that was open. */
  protected abstract removeClosed(identity: object): void
}
