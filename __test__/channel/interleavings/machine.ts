// The memory, the semaphores and the kernel under the code of a channel, one operation at a time.
//
// The code runs unchanged and without pauses, so a party is stopped before an operation by an exception, and comes back there
// by running again from its beginning: the results of its former operations are in its log.

import {
  BEGIN,
  END,
  FIRST_SLOT,
  generationOf,
  HEADER,
  MAGIC,
  RECEIVED,
  RECEIVE_LOCK,
  SEND_LOCK,
  SENT,
  SLOT,
  WORD,
} from '../../../.cache/built/lib/channel/layout.js'
import type { Hooks, Waiter, Words } from './hooks.ts'

/** Stops the run of a party. */
export const STOP: unique symbol = Symbol('stop')

export const CAPACITY = 64
export const UNITS = CAPACITY / 8

// The memory that is kept: the words of the header, the ring, and the slots of the parties.
const RING = 64
const SLOTS = RING + CAPACITY / 4
const MOST_PARTIES = 6
const SIZE = SLOTS + (MOST_PARTIES * SLOT) / 4

/** The process that has all slots but those of the parties. */
const IMMORTAL = 9999

/** The words whose values a handle keeps from one call to the next. */
const POSITIONS = [END, BEGIN, SENT, RECEIVED]

/** What a party has done so far, and where it stands. */
export interface Running {
  readonly index: number
  /** The results of all its operations. */
  readonly log: unknown[]
  /** Where it stood when its state was last known without the results of its operations. */
  base: string
  /** The results since then. */
  key: string
  /** The positions as it read or wrote them last. */
  known: unknown[]
  /** The operation before which it stopped. */
  before: string
}

/** What differs between scenarios. */
export interface Shape {
  /** The parties that have a slot from the beginning. */
  readonly seats: number
  /** Where the positions of the ring begin. */
  readonly start: number
  /** Whether deaths matter. */
  readonly deaths: boolean
}

/** What the parties share. */
export interface Shared {
  memory: Int32Array
  /** The units of the semaphores 1 (receivers) and 2 (senders). */
  units: number[]
  /** For each party the semaphore that it waits for, or 0. */
  waits: number[]
  /** For each party the semaphore whose unit it was given and has not noticed yet, or 0. */
  onItsWay: number[]
  alive: boolean[]
  /** The parties that looked again by time since the last message came or went. */
  looked: number
}

export class Machine implements Hooks {
  shared!: Shared
  /**
   * The words that one party writes and another one uses. Only their operations are points at which another party may go
   * on: the order of all others makes no difference.
   */
  #contended = new Set<number>()
  /** For each word the parties that read it, and those that wrote it, as bits. */
  #readers: number[] = []
  #writers: number[] = []
  /** Another word turned out to be contended, so the search begins again. */
  isOutdated = false
  #shape!: Shape

  // The run of a party.
  #party!: Running
  #cursor = 0
  /** How many more contended operations it may do. */
  #allowed = 0
  #stopped = false
  #lastLoad = -1
  #lastValue: unknown
  #tickets = 0
  /** The party has begun before the scenario does. */
  isBefore = false
  waiter: Waiter | undefined
  watch: (() => void) | undefined
  immediate: (() => void) | undefined

  /** Begins another scenario. */
  clear(): void {
    this.#contended.clear()
  }

  /** Begins the scenario, from its first operation. */
  reset(shape: Shape, parties: number): void {
    this.isOutdated = false
    this.#readers = Array(SIZE).fill(0)
    this.#writers = Array(SIZE).fill(0)
    this.#shape = shape
    const memory = new Int32Array(SIZE)
    memory[WORD.MAGIC] = MAGIC
    memory[END] = shape.start
    memory[BEGIN] = shape.start
    this.shared = {
      memory,
      units: [0, 0, 0],
      waits: Array(parties).fill(0),
      onItsWay: Array(parties).fill(0),
      alive: Array(parties).fill(true),
      looked: 0,
    }
  }

  get stopped(): boolean {
    return this.#stopped
  }

  /** The code of the party runs next, from its beginning; after the end of the log it may do this many contended operations. */
  begin(party: Running, allowed: number): void {
    this.#party = party
    this.#cursor = 0
    this.#allowed = allowed
    this.#stopped = false
    this.#lastLoad = -1
    this.#tickets = 0
    this.waiter = undefined
    this.watch = undefined
    this.immediate = undefined
  }

  /** Whether the run is past what the party did before. */
  get isNew(): boolean {
    return this.#cursor >= this.#party.log.length
  }

  snapshot(): Shared {
    const { memory, units, waits, onItsWay, alive, looked } = this.shared
    return {
      memory: memory.slice(),
      units: [...units],
      waits: [...waits],
      onItsWay: [...onItsWay],
      alive: [...alive],
      looked,
    }
  }

  restore(shared: Shared): void {
    this.shared = {
      memory: shared.memory.slice(),
      units: [...shared.units],
      waits: [...shared.waits],
      onItsWay: [...shared.onItsWay],
      alive: [...shared.alive],
      looked: shared.looked,
    }
  }

  /** The shared state as text. No decision depends on other words. */
  get key(): string {
    const { memory, units, waits, onItsWay, looked } = this.shared
    let key = ''
    for (const place of this.#contended) key += `${memory[place]},`
    for (let place = RING; place < SLOTS; place++) key += `${memory[place]},`
    return `${key}${units}|${waits}|${onItsWay}|${looked}`
  }

  /** A word of the ring, for checks. */
  ringWord(index: number): number {
    return this.shared.memory[RING + index] as number
  }

  /** A word of the header or of a slot, for checks. */
  word(index: number): number {
    return this.shared.memory[placeOf(words, index)] as number
  }

  /** Gives up a slot, or one of its locks, for a party that does not run any more. */
  giveUp(party: Running, index: number): void {
    const [array, slot] = [index === SEND_LOCK || index === RECEIVE_LOCK ? words : longs, party.index + 1]
    const place = placeOf(array, index)
    const word = (this.word(generationOf(slot)) << 8) | slot
    this.#party = party
    try {
      this.#note(this.#writers, place)
      if (array === longs) this.#write(longs, place, 0n)
      else if (this.shared.memory[place] === word) this.shared.memory[place] = 0
    } catch (error) {
      if (error !== STOP) throw error
    }
  }

  // --- Operations

  #operate<T>(name: string, isContended: boolean, isKeyed: boolean, perform: () => T): T {
    if (this.#stopped) throw STOP
    const party = this.#party
    if (this.#cursor < party.log.length) {
      this.#cursor += 1
      return party.log[this.#cursor - 1] as T
    }
    if (isContended && !this.isBefore) {
      if (this.#allowed === 0) {
        party.before = name
        this.#stopped = true
        throw STOP
      }
      this.#allowed -= 1
    }
    const result = perform()
    party.log.push(result)
    this.#cursor += 1
    if (isKeyed) party.key += `,${result}`
    return result
  }

  #atomic<T>(name: string, place: number, isKeyed: boolean, perform: () => T): T {
    this.#lastLoad = -1
    return this.#operate(`${name} ${place}`, this.#contended.has(place), isKeyed, () => {
      this.#note(this.#writers, place)
      return perform()
    })
  }

  #note(users: number[], place: number): void {
    // Whoever has a lock has the ring: a wrong owner shows in the messages.
    if (this.isBefore || place < 0 || (place >= RING && place < SLOTS) || this.#contended.has(place)) return
    users[place] = (users[place] as number) | (1 << this.#party.index)
    const [readers, writers] = [this.#readers[place] as number, this.#writers[place] as number]
    if (writers === 0 || isOne(readers | writers)) return
    this.#contended.add(place)
    this.isOutdated = true
    this.#stopped = true
    throw STOP
  }

  /** Whether the party has the lock under which alone this word changes. */
  #owns(place: number): boolean {
    const isSenders = place === END || place === SENT
    if (!isSenders && place !== BEGIN && place !== RECEIVED) return false
    const lock = isSenders ? SEND_LOCK : RECEIVE_LOCK
    return ((this.shared.memory[lock] as number) & 0xff) === this.#party.index + 1
  }

  /** Reads or writes a word. What a party knows of the positions outlasts its calls. */
  #use<T>(name: string, place: number, users: number[], use: () => T): T {
    // What the owner of the lock reads or counts, no other party changes; what it publishes, others see.
    const isOwn = (users === this.#readers || place === SENT || place === RECEIVED) && this.#owns(place)
    const isContended = this.#contended.has(place) && !isOwn
    const result = this.#operate(`${name} ${place}`, isContended, users === this.#readers, () => {
      this.#note(users, place)
      return use()
    })
    if (POSITIONS.includes(place) && !this.#stopped) this.#party.known[POSITIONS.indexOf(place)] = result
    return result
  }

  readonly Atomics: Hooks['Atomics'] = {
    load: (array, index) => {
      const place = placeOf(array, index)
      if (this.#lastLoad === place && !this.#stopped) return this.#lastValue as number
      this.#lastLoad = -1
      return this.#use('load', place, this.#readers, () => this.#read(array, place))
    },
    store: (array, index, value) => {
      const place = placeOf(array, index)
      this.#lastLoad = -1
      return this.#use('store', place, this.#writers, () => {
        if (place === END || place === BEGIN) this.shared.looked = 0
        this.#write(array, place, value)
        return value
      })
    },
    compareExchange: (array, index, expected, value) => {
      const place = placeOf(array, index)
      const found = this.#atomic('compareExchange', place, true, () => {
        const found = this.#read(array, place)
        if (found === expected) this.#write(array, place, value)
        return found
      })
      // A party spins while the lock has the same owner. Whatever it finds later, it would find too if it came later.
      if (place === SEND_LOCK || place === RECEIVE_LOCK) {
        this.#lastLoad = place
        this.#lastValue = found
      }
      // How a party came to its lock makes no difference afterwards.
      if (found === expected && (place === SEND_LOCK || place === RECEIVE_LOCK) && this.isNew)
        this.#party.key = ' has the lock'
      return found
    },
    add: (array, index, value) => this.#change(array, index, 'add', found => found + value),
    or: (array, index, value) => this.#change(array, index, 'or', found => found | value),
    exchange: (array, index, value) => this.#change(array, index, 'exchange', () => value),
  }

  #change(array: object, index: number, name: string, to: (found: number) => number): number {
    const place = placeOf(array, index)
    return this.#atomic(name, place, name === 'exchange', () => {
      const found = this.#read(array, place) as number
      this.#write(array, place, to(found))
      return found
    })
  }

  #read(array: object, place: number): number | bigint {
    const { memory } = this.shared
    if (array !== longs) return place < 0 ? 1 : (memory[place] as number)
    // The slots of nobody here.
    const isOthers = place < 0 || place >= SLOTS + (this.#shape.seats * SLOT) / 4
    return isOthers ? identity(IMMORTAL) : identity(memory[place + 1] as number)
  }

  #write(array: object, place: number, value: number | bigint): void {
    const { memory } = this.shared
    if (array === longs) memory[place + 1] = Number((value as bigint) >> 32n)
    else memory[place] = value as number
  }

  readonly #words = new Proxy(words, {
    get: (_, index) => {
      const place = placeOf(words, Number(index))
      return this.#use('read', place, this.#readers, () => this.#read(words, place))
    },
    set: (_, index, value) => {
      const place = placeOf(words, Number(index))
      this.#use('write', place, this.#writers, () => {
        this.#write(words, place, value as number)
        return value
      })
      return true
    },
  })

  /** The program of a party goes on without promises. */
  readonly Promise = {
    withResolvers: () => ({ promise: {}, resolve() {}, reject() {} }),
    reject: () => ({}),
  }
  readonly Int32Array: Hooks['Int32Array'] = returning(this.#words)
  readonly BigUint64Array: Hooks['BigUint64Array'] = returning(longs)

  readonly native: Hooks['native'] = {
    processIdentity: () => ({ pid: this.#party.index + 1, started: 1, namespace: 1 }),
    processIsDead: pid =>
      pid !== IMMORTAL &&
      this.#operate('processIsDead', this.#shape.deaths, true, () => this.shared.alive[pid - 1] !== true),
    channelEnter: () => {},
    channelSeat: () => {},
    startWait: semaphore => {
      this.#tickets += 1
      const ticket = this.#tickets
      return this.#operate('startWait', true, true, () => {
        const { units, waits } = this.shared
        if ((units[semaphore] as number) > 0) {
          units[semaphore] = (units[semaphore] as number) - 1
          return 0
        }
        waits[this.#party.index] = semaphore
        return ticket
      })
    },
    cancelWait: semaphore => {
      this.#operate('cancelWait', true, false, () => {
        const { units, waits, onItsWay } = this.shared
        const { index } = this.#party
        if (onItsWay[index] !== 0) units[semaphore] = (units[semaphore] as number) + 1
        onItsWay[index] = 0
        waits[index] = 0
      })
    },
  }

  post(semaphore: number): void {
    this.#operate('post', true, false, () => {
      this.shared.units[semaphore] = (this.shared.units[semaphore] as number) + 1
    })
  }

  readonly setTimeout: Hooks['setTimeout'] = fire => {
    this.watch = fire
    return { unref: () => ({ refresh() {} }) }
  }
  readonly clearTimeout = () => {}
  readonly setImmediate: Hooks['setImmediate'] = fire => {
    this.immediate = fire
  }
  readonly performance = { now: () => 0 }
  readonly expect: Hooks['expect'] = (_, waiter) => {
    this.waiter = waiter
  }
  readonly forget = () => {
    this.waiter = undefined
    return true
  }
}

const words: Words = {}
const longs = {}

/** A constructor whose every object is this one. */
function returning<T extends object>(object: T): new () => T {
  return function Returned() {
    return object
  } as unknown as new () => T
}

/** Where a word of the channel is kept; -1 where it is not. */
function placeOf(array: object, index: number): number {
  const word = array === longs ? index * 2 : index
  if (word < RING) return word
  if (word >= HEADER / 4) return RING + word - HEADER / 4
  const inSlots = word - FIRST_SLOT / 4
  return inSlots >= 0 && inSlots < (MOST_PARTIES * SLOT) / 4 ? SLOTS + inSlots : -1
}

function identity(pid: number): bigint {
  return pid === 0 ? 0n : (BigInt(pid) << 32n) | 1n
}

function isOne(bits: number): boolean {
  return (bits & (bits - 1)) === 0
}
