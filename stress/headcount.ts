/**
 * The number of holders inside a limit at one moment, counted in memory that all processes share, independently of the limit.
 *
 * Each party has a bit of one word, so that one atomic read gives all parties inside. A process that is killed inside
 * cannot clear its bit: the coordinator marks it before the kill, and clears it after the end. The coordinator also sets
 * the number allowed inside. It increments a version around every change, so that a reader discards a mixed answer.
 */
export class Headcount {
  /** The most parties: bits of a word. */
  static readonly PLACES = 64
  static readonly SIZE = 4 * BigUint64Array.BYTES_PER_ELEMENT

  readonly #words: BigUint64Array

  constructor(memory: ArrayBuffer) {
    this.#words = new BigUint64Array(memory, 0, 4)
  }

  /** Notes that a party is inside; returns the headcount, or `undefined` while the coordinator changes something. */
  enter(place: number): Seen | undefined {
    return this.#look(() => Atomics.or(this.#words, INSIDE, bit(place)) | bit(place))
  }

  leave(place: number): void {
    Atomics.and(this.#words, INSIDE, ~bit(place))
  }

  look(): Seen | undefined {
    return this.#look(() => Atomics.load(this.#words, INSIDE))
  }

  isInside(place: number): boolean {
    return (Atomics.load(this.#words, INSIDE) & bit(place)) !== 0n
  }

  /** For the coordinator: sets the number allowed inside from now on. */
  allow(most: number): void {
    this.#change(() => Atomics.store(this.#words, MOST, BigInt(most)))
  }

  /** For the coordinator: the process of these places is about to be killed. */
  doom(places: readonly number[]): void {
    this.#change(() => Atomics.or(this.#words, DOOMED, bits(places)))
  }

  /** For the coordinator: the process of these places is gone. Returns whether it was inside. */
  clear(places: readonly number[]): boolean {
    let inside = 0n
    this.#change(() => {
      inside = Atomics.and(this.#words, INSIDE, ~bits(places)) & bits(places)
      Atomics.and(this.#words, DOOMED, ~bits(places))
    })
    return inside !== 0n
  }

  #look(inside: () => bigint): Seen | undefined {
    const version = Atomics.load(this.#words, VERSION)
    const all = inside()
    const doomed = Atomics.load(this.#words, DOOMED)
    const most = Number(Atomics.load(this.#words, MOST))
    const isSteady = version % 2n === 0n && Atomics.load(this.#words, VERSION) === version
    return isSteady ? { inside: count(all & ~doomed), most } : undefined
  }

  #change(change: () => void): void {
    Atomics.add(this.#words, VERSION, 1n)
    change()
    Atomics.add(this.#words, VERSION, 1n)
  }
}

/** The number of parties inside at one moment, and the number allowed then. */
export interface Seen {
  readonly inside: number
  readonly most: number
}

const [INSIDE, DOOMED, MOST, VERSION] = [0, 1, 2, 3]

function bit(place: number): bigint {
  return 1n << BigInt(place)
}

function bits(places: readonly number[]): bigint {
  return places.reduce((all, place) => all | bit(place), 0n)
}

function count(word: bigint): number {
  return word.toString(2).replaceAll('0', '').length
}
