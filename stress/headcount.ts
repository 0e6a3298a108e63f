/**
 * How many are inside a limit at one moment, counted in memory that all processes share, with nothing of the limit.
 *
 * Each party has a bit of one word, so the answer to "who is in?" is one atomic read. A process that is killed inside
 * cannot take its bit away: the coordinator marks it before the kill, and clears it after the end. The coordinator also says
 * how many may be in. A version that it counts up around every change tells a reader that its answer is of no use.
 */
export class Headcount {
  /** The most parties: bits of a word. */
  static readonly PLACES = 64
  static readonly SIZE = 4 * BigUint64Array.BYTES_PER_ELEMENT

  readonly #words: BigUint64Array

  constructor(memory: ArrayBuffer) {
    this.#words = new BigUint64Array(memory, 0, 4)
  }

  /** Notes that a party is in; answers what is seen then, `undefined` while the coordinator changes something. */
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

  /** For the coordinator: so many may be in from now on. */
  allow(most: number): void {
    this.#change(() => Atomics.store(this.#words, MOST, BigInt(most)))
  }

  /** For the coordinator: the process of these places is about to be killed. */
  doom(places: readonly number[]): void {
    this.#change(() => Atomics.or(this.#words, DOOMED, bits(places)))
  }

  /** For the coordinator: the process of these places is gone. Answers whether it was inside. */
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

/** How many were in at one moment, and how many might be then. */
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
