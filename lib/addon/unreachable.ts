/** How many may wait to be watched: a loop that never lets a microtask run keeps no more of them. */
const MOST = 64

/**
 * Frees, by its number, what was not closed and what nobody can reach any more.
 *
 * A `FinalizationRegistry`, but for what is closed before the next microtask: to register that and take it back would
 * cost more than two small system calls.
 */
export class Unreachable<T extends object> {
  readonly #registry: FinalizationRegistry<number>
  /** The last one opened is most often the first one closed: a map would cost as much as registering. */
  readonly #young: T[] = []
  readonly #numbers: number[] = []
  #scheduled = false

  constructor(free: (number: number) => void) {
    this.#registry = new FinalizationRegistry(free)
  }

  /** From now on it is freed when nobody can reach it. */
  watch(object: T, number: number): void {
    // Where one of these throws (no room on the stack), the object is not watched, and the others are as before.
    if (!this.#scheduled) this.#schedule()
    if (this.#young.length >= MOST) this.#register()
    this.#numbers.push(number)
    this.#young.push(object)
  }

  /** It was closed. */
  forget(object: T): void {
    const index = this.#young.lastIndexOf(object)
    if (index === -1) {
      this.#registry.unregister(object)
    } else if (index === this.#young.length - 1) {
      this.#young.pop()
      this.#numbers.pop()
    } else {
      this.#young.splice(index, 1)
      this.#numbers.splice(index, 1)
    }
  }

  #schedule(): void {
    queueMicrotask(() => {
      this.#scheduled = false
      this.#register()
    })
    this.#scheduled = true
  }

  #register(): void {
    for (const [index, object] of this.#young.entries()) {
      this.#registry.register(object, this.#numbers[index] as number, object)
    }
    this.#young.length = 0
    this.#numbers.length = 0
  }
}
