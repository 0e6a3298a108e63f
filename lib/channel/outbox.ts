import { lengthOf } from '../bytes.js'
import { IpcError } from '../errors.js'
import { sent } from '../diagnostics/channels.js'
import { LATER } from './call.js'
import type { Encoded } from './codec.js'
import { copyIn, LONGEST_COPY } from './copy.js'
import { BEGIN, KIND, SENDERS_ASLEEP } from './layout.js'
import { checkDone } from './options.js'
import type { Ring } from './ring.js'

/** The longest text that is written character by character. For this length, a call of Node's encoder costs as much. */
const SHORT = 24

/** Text up to this length gets room for its longest encoding, so that it is encoded once. */
const OPTIMISTIC = 1024

/** The sending side of a channel in this process. */
export class Outbox {
  readonly asleep = SENDERS_ASLEEP
  readonly #ring: Ring
  readonly #memory: number
  readonly #name: string
  #known = false

  constructor(name: string, ring: Ring, memory: number) {
    this.#name = name
    this.#ring = ring
    this.#memory = memory
  }

  /** Sends one message; false if there is no room now, or another process sends. */
  trySend(message: Encoded): boolean {
    // A message that can never fit is refused before the lock.
    this.#measure(message)
    const ring = this.#ring
    if (!ring.lockSend()) return false
    try {
      if (!this.#put(message)) {
        ring.unlockSend()
        return false
      }
    } catch (error) {
      ring.unlockSend()
      throw error
    }
    ring.publish()
    this.#sent(1)
    return true
  }

  /** Sends as many of the messages from `start` to `end` as there is room for, at once; returns how many. */
  trySendMany(messages: readonly Encoded[], start: number, end: number): number {
    return this.#sendTogether(start, end, next => {
      const message = messages[next] as Encoded
      this.#measure(message)
      return this.#put(message) ? next + 1 : next
    })
  }

  /** The same for messages of bytes. */
  trySendBytes(messages: readonly Uint8Array[], start: number, end: number): number {
    const ring = this.#ring
    return this.#sendTogether(start, end, next => {
      const behind = ring.putAll(messages, next, end, LONGEST_COPY)
      if (behind > next) return behind
      const bytes = messages[next] as Uint8Array
      const length = lengthOf(bytes)
      this.checkLength(length)
      return this.#putBytes(bytes, length, KIND.BYTES) ? next + 1 : next
    })
  }

  /** Sends the messages that `put` puts: it gets the number of the next one, and returns the number of the first one that it did not put. */
  #sendTogether(start: number, end: number, put: (next: number) => number): number {
    const ring = this.#ring
    if (!ring.lockSend()) return 0
    let next = start
    try {
      for (let behind = next; next < end; next = behind) {
        behind = put(next)
        if (behind === next) break
      }
    } catch (error) {
      // The messages before it are sent. The next attempt begins with this message, and throws before it sends any.
      if (next === start) {
        ring.unlockSend()
        throw error
      }
    }
    if (next === start) {
      ring.unlockSend()
      return 0
    }
    ring.publish()
    this.#sent(next - start)
    return next - start
  }

  /** Sends a message that `fill` writes in place; false as for `trySend`. The caller calls {@link sentInPlace} then. */
  trySendWith(length: number, fill: (view: Uint8Array) => unknown): boolean {
    const ring = this.#ring
    if (!ring.lockSend()) return false
    let offset: number
    try {
      offset = ring.place(length)
      if (offset < 0) {
        ring.unlockSend()
        return false
      }
      checkDone(fill(ring.bytes.subarray(offset, offset + length)), 'fill', fill)
    } catch (error) {
      ring.unlockSend()
      throw error
    }
    ring.put(offset, length, KIND.BYTES)
    ring.publish()
    return true
  }

  /** Tells subscribers, who may use the channel: no callback of it runs now. */
  sentInPlace(): void {
    this.#sent(1)
  }

  /**
   * Repeats an attempt to send. After it found no room it takes the lock again only when a receiver has made some: a sender
   * that releases the lock wakes another one, and without this rule, senders whose messages do not fit would wake each
   * other all the time.
   */
  repeated(attempt: () => boolean): () => undefined | typeof LATER {
    const ring = this.#ring
    let refusedAt: number | undefined
    return () => {
      const isAsBefore = refusedAt !== undefined && Atomics.load(ring.words, BEGIN) === refusedAt
      if (isAsBefore && ring.state === 0) return LATER
      if (attempt()) return undefined
      refusedAt = ring.refusedAt
      return LATER
    }
  }

  /** Whether the last attempt found no room. */
  get isRefused(): boolean {
    return this.#ring.refusedAt !== undefined
  }

  forgetRefusal(): void {
    this.#ring.refusedAt = undefined
  }

  /** Throws if the message can never fit. */
  checkFits({ bytes, text }: Encoded): void {
    this.checkLength(bytes === undefined ? Buffer.byteLength(text as string) : lengthOf(bytes))
  }

  checkLength(length: number): void {
    if (length > this.#ring.longest) throw this.#tooLarge(length)
  }

  #sent(messages: number): void {
    if (!this.#known) {
      this.#ring.seat.sends()
      this.#known = true
    }
    // A subscriber may send as well, and find no room.
    const { refusedAt } = this.#ring
    sent(this.#name, messages)
    this.#ring.refusedAt = refusedAt
  }

  /** Notes the length of a message, once for all that needs it; throws if the message can never fit. */
  #measure(message: Encoded): void {
    const { bytes } = message
    message.length = bytes === undefined ? 0 : lengthOf(bytes)
    this.checkLength(message.length)
  }

  #put({ kind, length, bytes, text }: Encoded): boolean {
    return bytes === undefined ? this.#putText(text as string, kind) : this.#putBytes(bytes, length, kind)
  }

  #putBytes(bytes: Uint8Array, length: number, kind: number): boolean {
    const offset = this.#ring.place(length)
    if (offset < 0) return false
    copyIn(this.#ring, this.#memory, bytes, length, offset)
    this.#ring.put(offset, length, kind)
    return true
  }

  #putText(text: string, kind: number): boolean {
    const ring = this.#ring
    const { length } = text
    // Every character has one to three bytes in UTF-8.
    const most = length * 3
    let offset = length <= OPTIMISTIC && most <= ring.longest ? ring.place(most) : -1
    if (offset < 0) {
      const exact = Buffer.byteLength(text)
      this.checkLength(exact)
      offset = ring.place(exact)
      if (offset < 0) return false
    }
    const { bytes } = ring
    let written = 0
    if (length <= SHORT) {
      for (; written < length; written++) {
        const character = text.charCodeAt(written)
        if (character > 0x7f) break
        bytes[offset + written] = character
      }
    }
    if (written < length) written = bytes.write(text, offset, 'utf8')
    ring.put(offset, written, written === length ? ascii(kind) : kind)
    return true
  }

  #tooLarge(length: number): IpcError {
    const most = this.#ring.longest
    return new IpcError(
      'ERR_MESSAGE_TOO_LARGE',
      `a message of ${length} bytes does not fit into the channel '${this.#name}': ${most} bytes fit`,
      {
        hint: 'a message can have half the capacity: create the channel with a larger one, or send it in parts',
        limit: most,
      },
    )
  }
}

/** The kind of text whose characters all have one byte: other processes read it faster. */
function ascii(kind: number): number {
  return kind === KIND.TEXT ? KIND.ASCII_TEXT : KIND.ASCII_JSON
}
