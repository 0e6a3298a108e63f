/**
 * The holders inside a lock, noted in memory that all processes share, independently of the lock.
 *
 * Each request has its own place. A process that is killed inside cannot clear its mark: the killer announces the kill
 * before it, and clears the places of the killed process afterwards.
 */
export class Marks {
  /** The pid of the holder at each place, negative when it shares the lock; 0 when the place is empty. */
  readonly #inside: Int32Array
  /** The pid of the process that is being killed at each place. */
  readonly #doomed: Int32Array

  constructor(memory: ArrayBuffer) {
    const places = memory.byteLength / 2 / Int32Array.BYTES_PER_ELEMENT
    this.#inside = new Int32Array(memory, 0, places)
    this.#doomed = new Int32Array(memory, memory.byteLength / 2, places)
  }

  /** The bytes that this number of places takes. */
  static size(places: number): number {
    return places * 2 * Int32Array.BYTES_PER_ELEMENT
  }

  /** Notes that this process is inside, and returns the holders that must not be: of two, at least one sees the other. */
  enter(own: number, alone: boolean): string | undefined {
    Atomics.store(this.#inside, own, alone ? process.pid : -process.pid)
    for (let place = 0; place < this.#inside.length; place += 1) {
      const other = place === own ? 0 : this.#alive(place)
      if (other > 0 || (alone && other < 0)) return `${describe(other)} while ${describe(process.pid, alone)}`
    }
    return undefined
  }

  leave(own: number): void {
    Atomics.store(this.#inside, own, 0)
  }

  isInside(place: number): boolean {
    return Atomics.load(this.#inside, place) !== 0
  }

  /** The process at this place is about to be killed. */
  doom(place: number, pid: number): void {
    Atomics.store(this.#doomed, place, pid)
  }

  /** The process that was killed at this place is gone; returns the mode in which it was inside. */
  clear(place: number): 'alone' | 'together' | undefined {
    const inside = Atomics.exchange(this.#inside, place, 0)
    if (inside === 0) return undefined
    return inside > 0 ? 'alone' : 'together'
  }

  /** The holder that is inside and not about to be killed. Reads twice, because the holder may change in between. */
  #alive(place: number): number {
    const pid = Atomics.load(this.#inside, place)
    const doomed = Atomics.load(this.#doomed, place) === Math.abs(pid)
    return !doomed && Atomics.load(this.#inside, place) === pid ? pid : 0
  }
}

function describe(pid: number, alone = pid > 0): string {
  return `${Math.abs(pid)} has the lock ${alone ? 'alone' : 'together with others'}`
}
