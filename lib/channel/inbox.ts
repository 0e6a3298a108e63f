import { copyTo, lengthOf } from '../bytes.js'
import { IpcError } from '../errors.js'
import { received } from '../diagnostics/channels.js'
import { decode, parse } from './codec.js'
import { type Copied as Ahead, copyInto, copyMessages, copyOut } from './copy.js'
import { KIND, RECEIVERS_ASLEEP, REMOVED } from './layout.js'
import { checkDone } from './options.js'
import type { Ring } from './ring.js'

/** There is no message now. */
export const NOTHING: unique symbol = Symbol('nothing')
/** There will be no further message: the channel has ended. */
export const DRAINED: unique symbol = Symbol('drained')

/** The receiving side of a channel in this process. */
export class Inbox {
  readonly asleep = RECEIVERS_ASLEEP
  readonly #ring: Ring
  readonly #memory: number
  readonly #name: string
  #ahead: Ahead[] = []
  #nextAhead = 0
  #known = false
  /** The messages of a `drain` that subscribers were not told of. */
  #drained = 0

  constructor(name: string, ring: Ring, memory: number) {
    this.#name = name
    this.#ring = ring
    this.#memory = memory
  }

  /** Takes a message, and up to `prefetch - 1` more for later calls. */
  tryReceive(prefetch: number): unknown {
    if (this.#nextAhead < this.#ahead.length) {
      const { kind, bytes } = this.#takeAhead()
      return decode(kind, bytes)
    }
    const ring = this.#ring
    if (prefetch > 1) return this.#prefetch(prefetch)
    if (!ring.lockReceive(false)) return NOTHING
    let kind = 0
    let text: string | undefined
    let bytes: Buffer<ArrayBuffer> | undefined
    try {
      if (!ring.next()) return this.#end()
      const { offset, length } = ring
      kind = ring.kind
      // One byte is one character in ASCII: a peer that changes the bytes meanwhile changes only the text.
      if (kind === KIND.ASCII_TEXT || kind === KIND.ASCII_JSON)
        text = ring.bytes.toString('latin1', offset, offset + length)
      // Bytes that change meanwhile could mislead any other decoder, so it gets a copy.
      else bytes = copyOut(ring, this.#memory)
      ring.take()
    } finally {
      ring.unlockReceive()
    }
    this.#received(1)
    if (bytes !== undefined) return kind === KIND.BYTES ? bytes : decode(kind, bytes)
    return kind === KIND.ASCII_TEXT ? text : parse(text as string)
  }

  /** Takes a message, and up to `most - 1` more for later calls. */
  #prefetch(most: number): unknown {
    const found: Ahead[] = []
    const number = this.#take(most, found)
    if (number === 0) return this.#end()
    this.#ahead = found
    this.#nextAhead = 0
    const { kind, bytes } = this.#takeAhead()
    // Now: a subscriber may receive as well.
    this.#received(number)
    return decode(kind, bytes)
  }

  /** Takes up to `most` messages at once; an empty list if there are none. */
  tryReceiveMany(most: number): unknown[] | typeof DRAINED {
    const found: Ahead[] = []
    while (found.length < most && this.#nextAhead < this.#ahead.length) found.push(this.#takeAhead())
    const number = found.length < most ? this.#take(most, found) : 0
    if (number > 0) this.#received(number)
    if (found.length === 0) return this.#end() === DRAINED ? DRAINED : []
    return this.#decodeAll(found)
  }

  /** Takes messages until `found` has `most` of them, or no further message is there; returns how many. */
  #take(most: number, found: Ahead[]): number {
    const ring = this.#ring
    const before = found.length
    if (!ring.lockReceive(true)) return 0
    try {
      while (found.length < most && copyMessages(ring, this.#memory, most - found.length, found)) {
        ring.takePassed()
      }
    } finally {
      ring.unlockReceive()
    }
    return found.length - before
  }

  /** The values of messages. If one cannot be decoded, it stays for the next call, which throws, and so do those behind it. */
  #decodeAll(messages: readonly Ahead[]): unknown[] {
    const values: unknown[] = []
    for (let place = 0; place < messages.length; place++) {
      const { kind, bytes } = messages[place] as Ahead
      try {
        values.push(kind === KIND.BYTES ? bytes : decode(kind, bytes))
      } catch (error) {
        const left = this.#ahead.slice(this.#nextAhead)
        this.#ahead = [...messages.slice(place === 0 ? 1 : place), ...left]
        this.#nextAhead = 0
        if (place === 0) throw error
        break
      }
    }
    return values
  }

  /** Copies the next message into `target`, and returns its length. */
  tryReceiveInto(target: Uint8Array): number | typeof NOTHING | typeof DRAINED {
    if (this.#nextAhead < this.#ahead.length) {
      const { bytes } = this.#ahead[this.#nextAhead] as Ahead
      this.#checkRoom(bytes.length, target)
      copyTo(target, this.#takeAhead().bytes)
      return bytes.length
    }
    const ring = this.#ring
    if (!ring.lockReceive(false)) return NOTHING
    let length = 0
    try {
      if (!ring.next()) return this.#end()
      length = ring.length
      this.#checkRoom(length, target)
      copyInto(ring, this.#memory, target)
      ring.take()
    } finally {
      ring.unlockReceive()
    }
    this.#received(1)
    return length
  }

  /** Shows up to `most` messages to `visit`, each in its place in the ring; returns how many. The caller calls {@link drained} then. */
  drain(visit: (view: Uint8Array) => unknown, most: number): number {
    let number = 0
    while (number < most && this.#nextAhead < this.#ahead.length) {
      checkDone(visit((this.#ahead[this.#nextAhead] as Ahead).bytes), 'visit', visit)
      this.#takeAhead()
      number += 1
    }
    const ring = this.#ring
    if (number === most || !ring.lockReceive(true)) return number
    const ahead = number
    try {
      while (number < most && ring.next()) {
        checkDone(visit(ring.view()), 'visit', visit)
        ring.take()
        ring.nudgeSender()
        number += 1
      }
    } finally {
      ring.unlockReceive()
      this.#drained = number - ahead
    }
    if (number === 0) this.#end()
    return number
  }

  /** Tells subscribers, who may use the channel: no callback of it runs now. */
  drained(): void {
    const number = this.#drained
    this.#drained = 0
    if (number > 0) this.#received(number)
  }

  #takeAhead(): Ahead {
    const message = this.#ahead[this.#nextAhead] as Ahead
    this.#nextAhead += 1
    if (this.#nextAhead === this.#ahead.length) {
      this.#ahead.length = 0
      this.#nextAhead = 0
    }
    return message
  }

  /** The reason why there is no message: the end, or none yet. */
  #end(): typeof NOTHING | typeof DRAINED {
    const { state } = this.#ring
    if (state === 0) return NOTHING
    if (this.#ring.isDrained()) return DRAINED
    if (state & REMOVED) throw this.#ring.stateError()
    return NOTHING
  }

  #received(messages: number): void {
    if (!this.#known) {
      this.#ring.seat.receives()
      this.#known = true
    }
    received(this.#name, messages)
  }

  #checkRoom(length: number, target: Uint8Array): void {
    const room = lengthOf(target)
    if (length <= room) return
    throw new IpcError(
      'ERR_MESSAGE_TOO_LARGE',
      `the next message of the channel '${this.#name}' has ${length} bytes, and the target has ${room}`,
      { hint: 'the message stays in the channel: receive it into a larger target', limit: room },
    )
  }
}
