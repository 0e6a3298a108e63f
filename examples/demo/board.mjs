// The messages between main and the workers: numbers in a small segment, changed with Atomics.
//
// `Atomics` on a plain ArrayBuffer is atomic across processes too, because it is the same memory in all of them.

/** The states of a worker. */
export const STARTS = 0
export const WAITS = 1
export const HASHES = 2
export const RESTS = 3

/** A free slice. A slice in work has its worker's number (from 1 on); a finished slice has -number. */
const FREE = 0

/** The words before those of the workers: whether the work is done, and whether a worker was killed in a slice. */
const FIRST_WORDS = 2
const WORKER_WORDS = 4
const DIGEST_BYTES = 32

/** Monotonic milliseconds, the same clock in every process of this host. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6

export class Board {
  /** How many holds a worker can record. */
  static #holdsOf = slices => 2 * slices + 64

  static bytes(workers, slices) {
    const times = workers * Board.#holdsOf(slices) * 2
    const words = FIRST_WORDS + workers * WORKER_WORDS + slices
    return times * 8 + words * 4 + slices * DIGEST_BYTES
  }

  constructor(buffer, workers, slices) {
    this.workers = workers
    this.slices = slices
    this.holdsOf = Board.#holdsOf(slices)
    const times = workers * this.holdsOf * 2
    const words = FIRST_WORDS + workers * WORKER_WORDS + slices
    this.times = new Float64Array(buffer, 0, times)
    this.words = new Int32Array(buffer, times * 8, words)
    this.digests = new Uint8Array(buffer, times * 8 + words * 4, slices * DIGEST_BYTES)
  }

  get finished() {
    return Atomics.load(this.words, 0) === 1
  }

  finish() {
    Atomics.store(this.words, 0, 1)
  }

  /** A worker was killed in the middle of a slice. */
  strike() {
    Atomics.store(this.words, 1, 1)
  }

  /** Whether the next worker in the middle of a slice is to be killed: the work is half done, and no worker was killed. */
  get awaitsStrike() {
    const late = this.slicesDone >= this.slices / 2 || this.slices <= this.workers
    return late && Atomics.load(this.words, 1) === 0
  }

  // --- workers

  /** Counts up at every take and every release of a permit: an odd count means that the worker has a permit. */
  turn(worker) {
    return Atomics.load(this.words, this.#worker(worker))
  }

  phase(worker) {
    return Atomics.load(this.words, this.#worker(worker) + 1)
  }

  setPhase(worker, phase) {
    Atomics.store(this.words, this.#worker(worker) + 1, phase)
  }

  /** How much of its slice a worker has hashed, in percent. */
  progress(worker) {
    return Atomics.load(this.words, this.#worker(worker) + 2)
  }

  setProgress(worker, percent) {
    Atomics.store(this.words, this.#worker(worker) + 2, percent)
  }

  /** How many slices it has done. */
  done(worker) {
    return Atomics.load(this.words, this.#worker(worker) + 3)
  }

  /** Call this right after a permit was taken. */
  taken(worker) {
    const turn = this.turn(worker)
    if (turn / 2 >= this.holdsOf) throw new Error('the board has no room for another hold')
    this.times[this.#hold(worker, turn / 2)] = clock()
    Atomics.store(this.words, this.#worker(worker), turn + 1)
  }

  /** Call this right before the permit is released. */
  released(worker) {
    const turn = this.turn(worker)
    this.times[this.#hold(worker, (turn - 1) / 2) + 1] = clock()
    Atomics.store(this.words, this.#worker(worker), turn + 1)
  }

  /** Every hold of a worker, in order: from just after the permit was taken to just before it was given back. */
  holds(worker) {
    const turn = this.turn(worker)
    return Array.from({ length: Math.ceil(turn / 2) }, (_, hold) => {
      const from = this.times[this.#hold(worker, hold)]
      const to = 2 * hold + 1 < turn ? this.times[this.#hold(worker, hold) + 1] : undefined
      return { worker, from, to }
    })
  }

  /**
   * The workers that hold a permit at one moment, and the result of `look` at that moment; undefined if a worker took
   * or released a permit meanwhile.
   */
  holders(look = () => undefined) {
    const turns = this.#turns()
    const seen = look()
    if (!this.#turns().every((turn, i) => turn === turns[i])) return undefined
    return { workers: turns.flatMap((turn, i) => (turn % 2 === 1 ? [i + 1] : [])), seen }
  }

  // --- slices

  state(slice) {
    return Atomics.load(this.words, this.#slice(slice))
  }

  get slicesDone() {
    let count = 0
    for (let slice = 0; slice < this.slices; slice++) if (this.state(slice) < 0) count++
    return count
  }

  sliceOf(worker) {
    for (let slice = 0; slice < this.slices; slice++) if (this.state(slice) === worker) return slice
    return undefined
  }

  hasFreeSlice() {
    return this.sliceOf(FREE) !== undefined
  }

  /** Takes a free slice for a worker; of several that try, one gets it. */
  claim(worker) {
    for (let slice = 0; slice < this.slices; slice++) {
      if (Atomics.compareExchange(this.words, this.#slice(slice), FREE, worker) === FREE) return slice
    }
    return undefined
  }

  complete(worker, slice, digest) {
    this.digests.set(digest, slice * DIGEST_BYTES)
    Atomics.store(this.words, this.#slice(slice), -worker)
    Atomics.add(this.words, this.#worker(worker) + 3, 1)
  }

  /** Frees the slice of a dead worker for others. */
  giveBack(worker) {
    const slice = this.sliceOf(worker)
    if (slice !== undefined) Atomics.store(this.words, this.#slice(slice), FREE)
    return slice
  }

  digest(slice) {
    return Buffer.from(this.digests.slice(slice * DIGEST_BYTES, (slice + 1) * DIGEST_BYTES)).toString('hex')
  }

  #turns() {
    return Array.from({ length: this.workers }, (_, i) => this.turn(i + 1))
  }

  #worker(worker) {
    return FIRST_WORDS + (worker - 1) * WORKER_WORDS
  }

  #slice(slice) {
    return FIRST_WORDS + this.workers * WORKER_WORDS + slice
  }

  #hold(worker, hold) {
    return ((worker - 1) * this.holdsOf + hold) * 2
  }
}
