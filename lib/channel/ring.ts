import { lengthOf } from '../bytes.js'
import type { IpcError } from '../errors.js'
import { corruptError, stateErrorOf } from './broken.js'
import { partOf } from './buffers.js'
import {
  BEGIN,
  CORRUPT,
  END,
  ENDED,
  HEADER,
  KIND,
  longestMessage,
  MAGIC,
  RECEIVE_LOCK,
  RECEIVED,
  RECEIVERS_ASLEEP,
  RECORD,
  REMOVED,
  SEND_LOCK,
  SENDERS_ASLEEP,
  SENT,
  SKIP,
  STATE,
  WORD,
} from './layout.js'
import type { Seat } from './seat.js'

const { compareExchange, load, or, store } = Atomics

/**
 * Stores the position of the receivers: all reads of the bytes before it come first. On x64 that is the order of every store
 * (Intel SDM 3A, 9.2.2), and engines keep the order of accesses to one memory; an atomic store takes 10 ns longer there.
 */
const storePosition =
  process.arch === 'x64'
    ? (words: Int32Array, index: number, position: number): void => {
        words[index] = position
      }
    : store

/** The first word of the ring. */
const FIRST = HEADER / 4

/** How often a held lock is read again before its owner is checked: for about 2 µs, which is longer than most copies take. */
const SPINS = 100

/** The most attempts to change a number that other processes change too. If all attempts fail, a peer is hostile. */
const ATTEMPTS = 1000

/**
 * The ring of a channel, and its two locks.
 *
 * A process can be killed between any two statements here. One store sends messages (`END`), and one store takes them
 * (`BEGIN`). The next owner of the lock can repeat everything before that store.
 *
 * Between `lockSend` and `publish` or `unlockSend`, and between `lockReceive` and `unlockReceive`, no code of the program
 * runs, except for the callbacks of `sendWith` and `drain`.
 */
export class Ring {
  readonly words: Int32Array
  /** The ring alone. */
  readonly bytes: Buffer
  readonly capacity: number
  readonly longest: number
  readonly seat: Seat

  readonly #buffer: ArrayBuffer
  /** The name of the channel, for messages. */
  readonly #label: string
  readonly #units: number
  readonly #mask: number
  readonly #mine: number

  // While the send lock is held.
  #end = 0
  #free = 0
  #skipped = 0
  #placed = 0

  // While the receive lock is held.
  #begin = 0
  #used = 0
  #found = 0
  #passed = 0

  // The other side's position as this handle saw it last, and where its own side stood then. The position only grows, so
  // an old one means less room or fewer messages, never more. It is read again when it does not suffice, and when another
  // handle has used this side: a handle that slept while the positions went once around would be misled. A read costs
  // more than the rest of a send, because the other process writes there all the time.
  #seenBegin = 0
  #sentTo = 0
  #sent = 0
  #seenEnd = 0
  #receivedTo = 0
  #received = 0
  /** The offset of the payload that `next` found, in bytes from the start of the ring. */
  offset = 0
  length = 0
  kind = 0
  /** The position of the receivers when the last attempt to send ended for lack of room; `undefined` if it did not end so. */
  refusedAt: number | undefined = undefined

  constructor(label: string, buffer: ArrayBuffer, capacity: number, seat: Seat) {
    this.#buffer = buffer
    this.#label = label
    this.words = new Int32Array(buffer, 0, (HEADER + capacity) / 4)
    this.bytes = Buffer.from(buffer, HEADER, capacity)
    this.capacity = capacity
    this.longest = longestMessage(capacity)
    this.seat = seat
    this.#units = capacity / 8
    this.#mask = this.#units - 1
    this.#mine = seat.word
    const { words } = this
    this.#sent = words[SENT] as number
    this.#sentTo = load(words, END)
    this.#seenBegin = load(words, BEGIN)
    this.#received = words[RECEIVED] as number
    this.#receivedTo = this.#seenBegin
    this.#seenEnd = this.#seenBegin
  }

  // --- Sending

  /** Takes the send lock; false if a living process has it. Throws if the channel takes no messages any more. */
  lockSend(): boolean {
    const { words } = this
    this.refusedAt = undefined
    if (compareExchange(words, SEND_LOCK, 0, this.#mine) !== 0 && !this.#contend(SEND_LOCK)) return false
    if (load(words, STATE) !== 0 || words[WORD.MAGIC] !== MAGIC) {
      store(words, SEND_LOCK, 0)
      throw this.stateError()
    }
    const end = words[END] as number
    if (end !== this.#sentTo || words[SENT] !== this.#sent) this.#seenBegin = load(words, BEGIN)
    this.#end = end
    this.#placed = 0
    if (this.#countFree()) return true
    store(words, SEND_LOCK, 0)
    throw this.#corrupt('its positions are out of range')
  }

  #countFree(): boolean {
    const used = (this.#end - this.#seenBegin) | 0
    this.#free = this.#units - used
    return used >= 0 && used <= this.#units
  }

  /** Finds room for a payload of this many bytes; returns its offset, or -1. */
  place(length: number): number {
    const offset = this.#placeInSeen(length)
    if (offset >= 0) return offset
    this.#seenBegin = load(this.words, BEGIN)
    if (!this.#countFree()) throw this.#corrupt('its positions are out of range')
    this.refusedAt = this.#seenBegin
    return this.#placeInSeen(length)
  }

  #placeInSeen(length: number): number {
    const need = (length + RECORD + 7) >>> 3
    const at = this.#end & this.#mask
    const tail = this.#units - at
    if (need <= tail) {
      if (need > this.#free) return -1
      this.#skipped = 0
      return (at << 3) + RECORD
    }
    if (tail + need > this.#free) return -1
    this.words[FIRST + (at << 1)] = SKIP
    this.#skipped = tail
    return RECORD
  }

  /** Makes a message of the payload that was written to the offset from `place`. */
  put(offset: number, length: number, kind: number): void {
    const at = FIRST + ((offset - RECORD) >> 2)
    this.words[at] = length
    this.words[at + 1] = kind
    // What `place` noted belongs to an attempt before this one, or to another place that was too large.
    this.refusedAt = undefined
    const units = this.#skipped + ((length + RECORD + 7) >>> 3)
    this.#end = (this.#end + units) | 0
    this.#free -= units
    this.#placed += 1
  }

  /**
   * Puts messages of bytes one behind the other, until one is longer than `longest` or does not fit before the end of the
   * ring, or into the room that this handle knows of. Returns the number of that message.
   *
   * It is `place`, a copy and `put` in one loop: without it, a message of 64 bytes takes a quarter longer.
   */
  putAll(messages: readonly Uint8Array[], start: number, stop: number, longest: number): number {
    const { words, bytes } = this
    const units = this.#units
    const mask = this.#mask
    const most = Math.min(longest, this.longest)
    let end = this.#end
    let free = this.#free
    let next = start
    try {
      for (; next < stop; next++) {
        const message = messages[next] as Uint8Array
        const length = lengthOf(message)
        const need = (length + RECORD + 7) >>> 3
        const at = end & mask
        if (length > most || need > free || need > units - at) break
        bytes.set(message, (at << 3) + RECORD)
        const record = FIRST + (at << 1)
        words[record] = length
        words[record + 1] = KIND.BYTES
        end = (end + need) | 0
        free -= need
      }
    } catch {} // The caller tries this message alone, and meets the error.
    this.#end = end
    this.#free = free
    this.#placed += next - start
    return next
  }

  /** Sends all messages that were put, and gives the lock back. */
  publish(): void {
    const { words } = this
    const sent = ((words[SENT] as number) + this.#placed) | 0
    words[SENT] = sent
    this.#sent = sent
    this.#sentTo = this.#end
    store(words, END, this.#end)
    store(words, SEND_LOCK, 0)
    if (load(words, RECEIVERS_ASLEEP) !== 0) this.wakeReceiver()
    if (words[SENDERS_ASLEEP] !== 0) this.passOn(SENDERS_ASLEEP)
  }

  /** Gives the lock back without sending. */
  unlockSend(): void {
    const { words } = this
    store(words, SEND_LOCK, 0)
    if (load(words, SENDERS_ASLEEP) !== 0) this.passOn(SENDERS_ASLEEP)
  }

  // --- Receiving

  /**
   * Takes the receive lock; false if a living process has it. Throws if nothing can be received any more.
   *
   * With `all`, `next` finds every message that is there now, and otherwise at least one of them.
   */
  lockReceive(all: boolean): boolean {
    const { words } = this
    if (compareExchange(words, RECEIVE_LOCK, 0, this.#mine) !== 0 && !this.#contend(RECEIVE_LOCK))
      return false
    if ((load(words, STATE) & CORRUPT) !== 0 || words[WORD.MAGIC] !== MAGIC) {
      store(words, RECEIVE_LOCK, 0)
      throw this.stateError()
    }
    const begin = words[BEGIN] as number
    if (all || begin === this.#seenEnd || begin !== this.#receivedTo || words[RECEIVED] !== this.#received) {
      this.#seenEnd = load(words, END)
    }
    const used = (this.#seenEnd - begin) | 0
    if (used < 0 || used > this.#units) {
      store(words, RECEIVE_LOCK, 0)
      throw this.#corrupt('its positions are out of range')
    }
    this.#begin = begin
    this.#used = used
    this.#passed = 0
    return true
  }

  /**
   * Finds the next message; false if there is none. Throws if the bytes there cannot be a message. The caller still has
   * the lock then.
   */
  next(): boolean {
    if (this.#used === 0) return false
    const { words } = this
    let at = this.#begin & this.#mask
    let skipped = 0
    // Read once: a peer could change it between two reads.
    let length = words[FIRST + (at << 1)] as number
    if (length === SKIP) {
      skipped = this.#units - at
      at = 0
      length = words[FIRST] as number
    }
    const kind = words[FIRST + (at << 1) + 1] as number
    const units = (length + RECORD + 7) >>> 3
    if (
      length < 0 ||
      length > this.longest ||
      skipped + units > this.#used ||
      at + units > this.#units ||
      kind === 0
    ) {
      throw this.#corrupt(`it has a message of ${length} bytes and kind ${kind >>> 0}`)
    }
    this.offset = (at << 3) + RECORD
    this.length = length
    this.kind = kind
    this.#found = skipped + units
    return true
  }

  /** The payload that `next` found, in its place. */
  view(): Buffer {
    return partOf(this.#buffer, HEADER + this.offset, this.length)
  }

  /** Goes on to the message behind the one that `next` found. `takePassed` takes both. */
  pass(): void {
    this.#begin = (this.#begin + this.#found) | 0
    this.#used -= this.#found
    this.#passed += 1
  }

  /** Takes the messages that were passed, all at once. */
  takePassed(): void {
    const { words } = this
    const received = ((words[RECEIVED] as number) + this.#passed) | 0
    words[RECEIVED] = received
    this.#received = received
    this.#receivedTo = this.#begin
    this.#passed = 0
    storePosition(words, BEGIN, this.#begin)
  }

  /** Takes the message that `next` found. */
  take(): void {
    this.pass()
    this.takePassed()
  }

  /** Releases the lock, and wakes the waiters that can go on now. */
  unlockReceive(): void {
    const { words } = this
    store(words, RECEIVE_LOCK, 0)
    if (load(words, SENDERS_ASLEEP) !== 0) this.passOn(SENDERS_ASLEEP)
    if (words[RECEIVERS_ASLEEP] !== 0 && this.used() !== 0) this.wakeReceiver()
  }

  /** Wakes a sender while a long `drain` goes on. The load need not be atomic: the end of the `drain` loads again. */
  nudgeSender(): void {
    if (this.words[SENDERS_ASLEEP] !== 0 && this.#used <= this.#units >> 1) this.wakeSender()
  }

  /** Whether the channel has ended and has no messages, now and for ever. The order of the loads matters. */
  isDrained(): boolean {
    const { words } = this
    if ((load(words, STATE) & ENDED) === 0) return false
    // A sender that has the lock may have read the state before the end.
    const owner = load(words, SEND_LOCK)
    if (owner !== 0 && owner !== this.#mine && !this.seat.isDead(owner)) return false
    return load(words, END) === load(words, BEGIN)
  }

  // --- Sleeping

  wakeReceiver(): void {
    if (this.#countDown(RECEIVERS_ASLEEP)) this.seat.postReceivers()
  }

  wakeSender(): void {
    if (this.#countDown(SENDERS_ASLEEP)) this.seat.postSenders()
  }

  /** Wakes all sleepers, after the state changed. */
  wakeAll(): void {
    const receivers = Atomics.exchange(this.words, RECEIVERS_ASLEEP, 0)
    const senders = Atomics.exchange(this.words, SENDERS_ASLEEP, 0)
    // If more sleepers are counted than there are slots, processes died asleep.
    for (let n = Math.min(Math.max(receivers, 0), 255); n > 0; n--) this.seat.postReceivers()
    for (let n = Math.min(Math.max(senders, 0), 255); n > 0; n--) this.seat.postSenders()
  }

  /** Counts this process as a sleeper. The caller tries once more before it sleeps. */
  fallAsleep(asleep: number): void {
    Atomics.add(this.words, asleep, 1)
  }

  /** Takes this process out of the count; false if the count is 0 already: then a unit is on its way. */
  getUp(asleep: number): boolean {
    return this.#countDown(asleep)
  }

  /** Wakes the next sleeper of a side, if it can go on. */
  passOn(asleep: number): void {
    const used = this.used()
    if (asleep === RECEIVERS_ASLEEP ? used !== 0 : used <= this.#units >> 1) {
      if (asleep === RECEIVERS_ASLEEP) this.wakeReceiver()
      else this.wakeSender()
    }
  }

  #countDown(asleep: number): boolean {
    const { words } = this
    let number = load(words, asleep)
    for (let attempt = 0; number > 0 && attempt < ATTEMPTS; attempt++) {
      const found = compareExchange(words, asleep, number, number - 1)
      if (found === number) return true
      number = found
    }
    return false
  }

  // --- State

  get state(): number {
    return load(this.words, STATE)
  }

  end(): void {
    or(this.words, STATE, ENDED)
    this.wakeAll()
  }

  /** The number of used units. */
  used(): number {
    return (load(this.words, END) - load(this.words, BEGIN)) | 0
  }

  #corrupt(what: string): IpcError {
    or(this.words, STATE, CORRUPT)
    this.wakeAll()
    return corruptError(this.#label, what)
  }

  /** The error of a wait whose semaphore was removed: the state may tell it a moment later. */
  removedError(): IpcError {
    return stateErrorOf(this.#label, this.state | REMOVED, true)
  }

  /** The error of a send or receive that the state does not allow. */
  stateError(): IpcError {
    return stateErrorOf(this.#label, load(this.words, STATE), this.words[WORD.MAGIC] === MAGIC)
  }

  /** The lock is held: spins, and breaks it if its owner is dead. */
  #contend(lock: number): boolean {
    const { words } = this
    const mine = this.#mine
    for (let turn = 0; turn < SPINS; turn++) {
      const owner = load(words, lock)
      // An earlier call of this handle was cut short (for example, the stack was exhausted) and left the lock. The handle
      // uses it for nothing else now.
      if (owner === mine) return true
      if (owner === 0 && compareExchange(words, lock, 0, mine) === 0) return true
    }
    const owner = load(words, lock)
    if (owner === 0) return compareExchange(words, lock, 0, mine) === 0
    return this.seat.isDead(owner) && compareExchange(words, lock, owner, mine) === owner
  }
}
