/**
 * Who is inside a lock, noted in memory that all processes share, with nothing of the lock.
 *
 * Everybody has a place of his own. A process that is killed inside cannot take its mark away: who kills it says so
 * before, and clears its places once it is gone.
 */
export class Marks {
  /** The pid of who is in at each place, less than 0 when it shares; 0 when nobody is. */
  readonly #inside: Int32Array
  /** The pid of who is killed at each place. */
  readonly #doomed: Int32Array

  constructor(memory: ArrayBuffer) {
    const places = memory.byteLength / 2 / Int32Array.BYTES_PER_ELEMENT
    this.#inside = new Int32Array(memory, 0, places)
    this.#doomed = new Int32Array(memory, memory.byteLength / 2, places)
  }

  /** The bytes of so many places. */
  static size(places: number): number {
    return places * 2 * Int32Array.BYTES_PER_ELEMENT
  }

  /** Notes that this process is in, and answers who is there that must not be: of two, one at least sees the other. */
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

  /** The process that was killed at this place is gone: how it was inside. */
  clear(place: number): 'alone' | 'together' | undefined {
    const inside = Atomics.exchange(this.#inside, place, 0)
    if (inside === 0) return undefined
    return inside > 0 ? 'alone' : 'together'
  }

  /** Who is inside and not about to be killed. Looked at twice: in between it may have gone, and another one come. */
  #alive(place: number): number {
    const pid = Atomics.load(this.#inside, place)
    const doomed = Atomics.load(this.#doomed, place) === Math.abs(pid)
    return !doomed && Atomics.load(this.#inside, place) === pid ? pid : 0
  }
}

function describe(pid: number, alone = pid > 0): string {
  return `${Math.abs(pid)} has the lock ${alone ? 'alone' : 'together with others'}`
}
