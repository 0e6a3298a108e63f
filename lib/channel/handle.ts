import { IpcError } from '../errors.js'
import { WAIT, type WaitLimits, type WaitOptions, waitLimits } from '../waiting/options.js'
import { checkNotAborted } from '../waiting/signals.js'
import { releaseOwn } from './cut-short.js'
import type { Codec } from './layout.js'
import type { Line } from './line.js'
import type { Objects } from './objects.js'
import { removeClosed, removeObjects } from './removal.js'
import { Ring } from './ring.js'
import { Seat } from './seat.js'

/** What the sides of one `Channel` share: its objects, and whether a call may use them now. */
export class ChannelHandle {
  readonly name: string
  readonly codec: Codec
  readonly ring: Ring
  /** The number of its memory in the addon. */
  readonly memory: number

  readonly #objects: Objects
  #open = true
  /** Whether a callback of `sendWith` or `drain` runs, under a lock. */
  #busy = false
  /** Whether {@link #recover} is to run in this turn. */
  #recovers = false

  constructor(objects: Objects) {
    const { name, header } = objects
    this.name = name
    this.codec = header.codec
    this.ring = new Ring(name, objects.buffer, header.capacity, new Seat(name, objects))
    this.memory = objects.memory.number
    this.#objects = objects
  }

  /** What every call that can wait does first. */
  begin(options: WaitOptions | undefined, names = WAIT): WaitLimits {
    const limits = waitLimits(options, names)
    this.use()
    checkNotAborted(limits.signal)
    // The program's own signal can close the channel when it is asked.
    this.checkOpen()
    return limits
  }

  /** What every call that sends or receives does first: it fails after `close`, and in a callback. */
  use(): void {
    if (!this.#open) throw this.#closed()
    if (this.#busy) throw this.#reentered()
  }

  checkOpen(): void {
    if (!this.#open) throw this.#closed()
  }

  /** Runs a call that has a lock while a callback of the program runs. */
  inCallback<R>(call: () => R): R {
    if (!this.#recovers) {
      // It throws if the stack has no room.
      queueMicrotask(this.#recover)
      this.#recovers = true
    }
    this.#busy = true
    try {
      return call()
    } finally {
      this.#busy = false
    }
  }

  /**
   * Runs after the callbacks of this turn: no microtask runs inside a callback. A callback that is busy now was cut short
   * by the `timeout` of a `vm` script, which skips `finally`.
   */
  readonly #recover = (): void => {
    this.#recovers = false
    if (!this.#busy) return
    this.#busy = false
    if (this.#open) releaseOwn(this.ring)
  }

  /** Ends the calls of both sides, and gives back the objects. A second call does nothing. */
  close(sends: Line, receives: Line): void {
    if (!this.#open) return
    if (this.#busy) throw this.#reentered()
    this.#open = false
    sends.close(this.#closed())
    receives.close(this.#closed())
    this.#objects.close()
  }

  /** Removes the channel, before or after `close`. */
  unlink(): void {
    const { name, memory, header } = this.#objects
    if (!this.#open) {
      removeClosed(this.#objects)
      return
    }
    removeObjects(name, memory, header)
    this.ring.wakeAll()
  }

  #closed(): IpcError {
    return new IpcError('ERR_CLOSED', `the channel '${this.name}' is closed`)
  }

  #reentered(): IpcError {
    return new IpcError('ERR_REENTERED', `a callback of the channel '${this.name}' used the channel itself`, {
      hint: 'the callbacks of sendWith and drain run under a lock: collect what they find, and use the channel after they return',
    })
  }
}
