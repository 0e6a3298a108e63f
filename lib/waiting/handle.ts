import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { LimitEngine } from '../limit/engine.js'
import type { Backend, Id } from '../options.js'
import { Unreachable } from '../addon/unreachable.js'

/** Frees handles that the program cannot reach any more. Their permits stay held, because no code released them. */
const unreachable = new Unreachable<Handle>(number => void native.dropHandle(number))

/** An open semaphore or limit in the addon, and the parts of it that are still in use. */
export abstract class Handle {
  readonly number: number
  /** The name with its slash; `undefined` for a raw key. */
  readonly name: string | undefined
  /** The raw System V key, if it was opened by one. */
  readonly key: number | undefined
  open = true
  /** Whether a pending wait keeps the process alive. */
  referenced = true
  /** The number of pending waits. */
  waits = 0
  /** The number of held permits: counted when the addon hands one over, before its `Permit` exists. */
  permits = 0

  /** The word for it in messages. */
  abstract readonly noun: 'semaphore' | 'limit'
  /** Whether its units are permits. */
  abstract readonly permit: boolean
  /** Its backend or engine. */
  abstract readonly backend: Backend | LimitEngine

  /** The identity of the object after `close`, when the addon does not know the number any more. */
  #identity: object | undefined
  #unlinked = false

  constructor(number: number, id: Id) {
    this.number = number
    this.name = typeof id === 'number' ? undefined : id
    this.key = typeof id === 'number' ? id : undefined
    unreachable.watch(this, number)
  }

  /** The object's name in error messages. */
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

  /** The error of a wait that timed out; `to` is the number of permits that a resizing did not reach. */
  abstract timedOut(to?: number): IpcError

  /** Ends all calls except the release of permits that are still held. */
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

  /** The identity of the object. */
  protected abstract identify(): object
  /** Removes the open object. */
  protected abstract remove(): void
  /** Removes the closed object. */
  protected abstract removeClosed(identity: object): void
}
