/** The most objects that wait for registration: it bounds the memory of a loop that never lets a microtask run. */
const MOST = 64

/**
 * Frees, by its number, an object that was not closed and that the program cannot reach any more.
 *
 * It is a `FinalizationRegistry`, except for objects that are closed before the next microtask: registering and
 * unregistering such an object would cost more than two small system calls.
 */
export class Unreachable<T extends object> {
  readonly #registry: FinalizationRegistry<number>
  /** An array, because the last object opened is most often the first one closed: a map would cost as much as registering. */
  readonly #young: T[] = []
  readonly #numbers: number[] = []
  #scheduled = false

  constructor(free: (number: number) => void) {
    this.#registry = new FinalizationRegistry(free)
  }

  /** Frees the object once the program cannot reach it any more. */
  watch(object: T, number: number): void {
    // If one of these calls throws (no room on the stack), this object is not watched, and the others are unchanged.
    if (!this.#scheduled) this.#schedule()
    if (this.#young.length >= MOST) this.#register()
    this.#numbers.push(number)
    this.#young.push(object)
  }

  /** Stops watching an object that was closed. */
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
