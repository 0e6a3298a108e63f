import type { IpcError } from '../errors.js'
import type { LockMode } from '../lock/types.js'
import { leaseSignal } from '../lease/signal.js'
import { lockLost } from './failures.js'
import type { Hold } from './hold.js'
import type { PostgresLock } from './types.js'

/** The milliseconds that a callback has to read the signal of a lost lock; after that, the process prints a warning. */
const WARN_AFTER = 1_000

/** A lock that was granted to a request. */
export class Grant {
  readonly hold: Hold
  readonly lock: PostgresLock
  /** The innermost grant inside whose callback the request was made. */
  readonly outer: Grant | undefined
  readonly order: number
  #lostError: IpcError | undefined
  #controller: AbortController | undefined
  #signal: AbortSignal | undefined
  #released = false
  #isListening = false
  #warning: NodeJS.Timeout | undefined

  constructor(hold: Hold, fence: number, order: number, outer: Grant | undefined) {
    this.hold = hold
    this.order = order
    this.outer = outer
    this.lock = new HeldLock(hold.name, hold.mode, fence, () => this.#getSignal())
    hold.grants.add(this)
  }

  /** Whether its callback runs and its lock is not lost. */
  get isHeld(): boolean {
    return !this.#released && this.#lostError === undefined
  }

  /** Ends it: its callback is done. */
  end(): void {
    this.#stopListening()
    this.#released = true
    this.hold.grants.delete(this)
    if (this.#warning !== undefined) this.#warn()
  }

  lose(why: string, cause: unknown): void {
    if (!this.isHeld) return
    this.#stopListening()
    const error = lockLost(this.hold.name, why, cause)
    this.#lostError = error
    if (this.#controller !== undefined) this.#controller.abort(error)
    else this.#warning = setTimeout(() => this.#warn(), WARN_AFTER).unref()
  }

  #warn(): void {
    clearTimeout(this.#warning)
    this.#warning = undefined
    if (this.#signal !== undefined) return
    const message = `${this.#lostError?.message}, and nothing reads its signal`
    process.emitWarning(message, { code: 'OS_IPC_LOCK_LOST' })
  }

  #getSignal(): AbortSignal {
    if (this.#signal === undefined) {
      this.#controller = new AbortController()
      this.#signal = leaseSignal(this.#controller, () => {
        if (this.isHeld) this.hold.session.check()
      })
      if (this.#lostError !== undefined) this.#controller.abort(this.#lostError)
      else if (this.isHeld) {
        this.#isListening = true
        this.hold.session.keepAlive(+1)
      }
    }
    return this.#signal
  }

  #stopListening(): void {
    if (!this.#isListening) return
    this.#isListening = false
    this.hold.session.keepAlive(-1)
  }
}

/** The argument of the callback. */
class HeldLock implements PostgresLock {
  readonly #name: string
  readonly #mode: LockMode
  readonly #fence: number
  readonly #getSignal: () => AbortSignal

  constructor(name: string, mode: LockMode, fence: number, getSignal: () => AbortSignal) {
    this.#name = name
    this.#mode = mode
    this.#fence = fence
    this.#getSignal = getSignal
  }

  get name(): string {
    return this.#name
  }

  get mode(): LockMode {
    return this.#mode
  }

  get fence(): number {
    return this.#fence
  }

  get signal(): AbortSignal {
    return this.#getSignal()
  }

  get [Symbol.toStringTag](): string {
    return 'Lock'
  }
}
