import { wrongType } from '../errors.js'
import { resolved } from '../promises.js'

/** What `next` returns at the end. */
const END = { value: undefined, done: true } as const

/**
 * Iterates over what `receive` resolves with, until that is `undefined`.
 *
 * It is written by hand: an async generator takes half as long again for each message.
 */
export class Received<V> implements AsyncIterableIterator<V> {
  readonly #receive: (isOver: () => boolean) => Promise<V | undefined>
  readonly #ended: () => void
  #done = false
  readonly #isOver = () => this.#done

  /** A `receive` that waits takes nothing any more once `isOver` says so, and is tried again after `ended`. */
  constructor(receive: (isOver: () => boolean) => Promise<V | undefined>, ended: () => void) {
    this.#receive = receive
    this.#ended = ended
  }

  next(): Promise<IteratorResult<V, undefined>> {
    if (this.#done) return resolved(END)
    return this.#receive(this.#isOver).then(value => {
      if (value !== undefined) return { value, done: false }
      this.#done = true
      return END
    })
  }

  return(): Promise<IteratorResult<V, undefined>> {
    this.#done = true
    this.#ended()
    return resolved(END)
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

const arrayValues = Array.prototype.values

/** The values of an array, as its own iterator gives them. It makes no object for each, which is an eighth of a short send. */
class Elements implements Iterator<unknown> {
  readonly #array: readonly unknown[]
  readonly #result: { value: unknown; done: boolean } = { value: undefined, done: false }
  #next = 0

  constructor(array: readonly unknown[]) {
    this.#array = array
  }

  /** The result is good until the next call. */
  next(): IteratorResult<unknown> {
    const result = this.#result
    result.done = this.#next >= this.#array.length
    result.value = result.done ? undefined : this.#array[this.#next]
    this.#next += 1
    return result
  }
}

/** An iterator of the values. */
export function iteratorOf(values: Iterable<unknown>): Iterator<unknown> {
  if (Array.isArray(values) && values[Symbol.iterator] === arrayValues) return new Elements(values)
  if (typeof (values as Partial<typeof values> | null | undefined)?.[Symbol.iterator] !== 'function') {
    throw wrongType('values', 'an iterable', values)
  }
  return values[Symbol.iterator]()
}

/** Whether the next step of the iterator runs no code of the program, which could change the values before. */
export function keepsValues(iterator: Iterator<unknown>): boolean {
  return iterator instanceof Elements
}
