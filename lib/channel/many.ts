import { type Batch, batchOf } from './batch.js'
import { LATER } from './call.js'
import { iteratorOf, keepsValues } from './iterators.js'
import type { Codec } from './layout.js'
import type { Line } from './line.js'
import type { Outbox } from './outbox.js'

/** The number of messages that are encoded before the lock is taken, and sent together. */
const TOGETHER = 64

/** The messages of one `sendMany`. */
export class Many {
  readonly #values: Iterator<unknown>
  readonly #outbox: Outbox
  readonly #line: Line
  readonly #batch: Batch
  #number = 0
  #next = 0
  #done = false
  /** The error of the iterator or of the codec. It is thrown after the messages before it are sent. */
  #failure: { readonly error: unknown } | undefined

  /** Throws if the call is over: the program can close the channel or abort while its iterator or a `toJSON` runs. */
  readonly #check: () => void

  constructor(values: Iterable<unknown>, codec: Codec, outbox: Outbox, line: Line, check: () => void) {
    this.#values = iteratorOf(values)
    this.#batch = batchOf(codec, outbox)
    this.#outbox = outbox
    this.#line = line
    this.#check = check
  }

  /** Sends as many as there is room for. */
  attempt(): undefined | typeof LATER {
    for (;;) {
      if (this.#next === this.#number) {
        this.#encode()
        this.#check()
      }
      if (this.#next === this.#number) {
        if (this.#failure !== undefined) throw this.#failure.error
        return undefined
      }
      if (!this.#line.hasCredit) {
        // The iterator may have sent as well, and found no room: that is no reason for this call to wait.
        this.#outbox.forgetRefusal()
        return LATER
      }
      const sent = this.#batch.send(this.#next, this.#number)
      this.#next += sent
      this.#line.spend(sent)
      // Otherwise the next message is one that can never fit: the next turn throws that.
      if (sent === 0 || this.#outbox.isRefused) return LATER
    }
  }

  /** The call has ended, so the iterator is closed. */
  cancel(): void {
    if (this.#done) return
    this.#done = true
    try {
      this.#values.return?.()
    } catch {
      // The caller gets the reason for which the call ended.
    }
  }

  #encode(): void {
    this.#number = 0
    this.#next = 0
    if (this.#done) return
    try {
      while (this.#number < TOGETHER) {
        const { value, done } = this.#values.next()
        if (done === true) {
          this.#done = true
          return
        }
        const isBytes = this.#batch.set(this.#number, value)
        this.#number += 1
        // A generator may fill the same bytes again for its next value: they go into the channel before.
        if (isBytes && !keepsValues(this.#values)) return
      }
    } catch (error) {
      this.#failure = { error }
      this.cancel()
    }
  }
}
