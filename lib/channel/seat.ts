import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { Objects } from './objects.js'
import {
  FIRST_SLOT,
  generationOf,
  identityOf,
  RECEIVE_LOCK,
  RECEIVES,
  SEND_LOCK,
  SENDS,
  SLOT,
  SLOTS,
} from './layout.js'

const GENERATIONS = 0xff_ffff

/** The identity of this process: pid and start time in one number. No other process of this host ever has the same number. */
export function ownIdentity(): bigint {
  const { pid, started } = checked(native.processIdentity())
  return identity(pid, started)
}

function identity(pid: number, started: number): bigint {
  return (BigInt(pid) << 32n) | BigInt(started)
}

/** Whether the kernel proves that this process is dead. If in doubt, it is alive. */
export function isProvedDead(who: bigint): boolean {
  const pid = Number(who >> 32n)
  return checked(native.processIsDead(pid, Number(who & 0xffff_ffffn)))
}

/** The slot of one handle in a channel. Other processes read it to find out whether the owner of a lock is dead. */
export class Seat {
  readonly slot: number
  /** The word that this handle stores into a lock. */
  readonly word: number

  readonly #words: Int32Array
  readonly #identities: BigUint64Array
  readonly #objects: Objects

  /** Takes a slot; `ERR_NO_SLOT` if the channel has none. */
  constructor(name: string, objects: Objects) {
    const { buffer } = objects
    this.#objects = objects
    this.#words = new Int32Array(buffer, 0, (FIRST_SLOT + SLOT * SLOTS + 15) >> 2)
    this.#identities = new BigUint64Array(buffer, 0, (FIRST_SLOT + SLOT * SLOTS) / 8)
    checked(native.channelEnter(objects.memory.number))
    this.slot = this.#claim(name, ownIdentity())
    const generation = (Atomics.add(this.#words, generationOf(this.slot), 1) + 1) & GENERATIONS
    this.word = (generation << 8) | this.slot
    // If this thread ends without a close, the addon gives back the slot and its locks.
    checked(native.channelSeat(objects.memory.number, this.slot, this.word))
    this.#clearLeft(SEND_LOCK)
    this.#clearLeft(RECEIVE_LOCK)
  }

  #claim(name: string, own: bigint): number {
    const identities = this.#identities
    for (let slot = 1; slot <= SLOTS; slot++) {
      if (Atomics.compareExchange(identities, identityOf(slot), 0n, own) === 0n) return slot
    }
    for (let slot = 1; slot <= SLOTS; slot++) {
      const owner = Atomics.load(identities, identityOf(slot))
      if (owner !== 0n && !isProvedDead(owner)) continue
      if (Atomics.compareExchange(identities, identityOf(slot), owner, own) === owner) return slot
    }
    throw new IpcError('ERR_NO_SLOT', `the channel '${name}' is open ${SLOTS} times already`, {
      hint: 'each open Channel has one slot: close() those that are not in use',
      limit: SLOTS,
    })
  }

  /** Frees a lock that the former owner of this slot had when it died. */
  #clearLeft(lock: number): void {
    const word = Atomics.load(this.#words, lock)
    if ((word & 0xff) === this.slot && word !== this.word) {
      Atomics.compareExchange(this.#words, lock, word, 0)
    }
  }

  /** Whether the owner of a lock, by its word, is dead. */
  isDead(word: number): boolean {
    return isDead(this.#words, this.#identities, word)
  }

  sends(): void {
    this.#take(SENDS)
  }

  receives(): void {
    this.#take(RECEIVES)
  }

  #take(role: number): void {
    Atomics.or(this.#words, generationOf(this.slot) + 1, role)
  }

  postReceivers(): void {
    this.#objects.postReceivers()
  }

  postSenders(): void {
    this.#objects.postSenders()
  }

  /** The processes of a role that are not proved dead. */
  pids(role: number): number[] {
    return pidsOf(this.#words, role)
  }

  /** The process that has a lock; `undefined` if it is free or its owner is dead. */
  ownerOf(lock: number): number | undefined {
    return lockedBy(this.#words, lock)
  }
}

/** The process that has a lock, from the words of a header; `undefined` if it is free or its owner is dead. */
export function lockedBy(words: Int32Array, lock: number): number | undefined {
  const word = Atomics.load(words, lock)
  return word === 0 || isDead(words, identitiesOf(words), word) ? undefined : ownerOf(words, word & 0xff)
}

/** The number of slots that a process has which is not proved dead, from the words of a header. */
export function handlesOf(words: Int32Array): number {
  let handles = 0
  for (let slot = 1; slot <= SLOTS; slot++) {
    if (ownerOf(words, slot) !== undefined) handles += 1
  }
  return handles
}

function isDead(words: Int32Array, identities: BigUint64Array, word: number): boolean {
  const slot = word & 0xff
  // No process stores such a word.
  if (slot === 0) return true
  if ((Atomics.load(words, generationOf(slot)) & GENERATIONS) !== word >>> 8) return true
  const owner = Atomics.load(identities, identityOf(slot))
  return owner === 0n || isProvedDead(owner)
}

function identitiesOf(words: Int32Array): BigUint64Array {
  return new BigUint64Array(words.buffer, words.byteOffset, (FIRST_SLOT + SLOT * SLOTS) / 8)
}

/** The processes of a role that are not proved dead, from the words of a header. */
export function pidsOf(words: Int32Array, role: number): number[] {
  const found = new Set<number>()
  for (let slot = 1; slot <= SLOTS; slot++) {
    if (!(Atomics.load(words, generationOf(slot) + 1) & role)) continue
    const pid = ownerOf(words, slot)
    if (pid !== undefined) found.add(pid)
  }
  return [...found]
}

/** The living process that has a slot. */
function ownerOf(words: Int32Array, slot: number): number | undefined {
  const owner = Atomics.load(identitiesOf(words), identityOf(slot))
  return owner === 0n || isProvedDead(owner) ? undefined : Number(owner >> 32n)
}
