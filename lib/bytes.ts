const { apply, getOwnPropertyDescriptor, getPrototypeOf } = Reflect

// Those of every typed array. A class of the program can override them: a wrong length would destroy the bytes of others, and
// the program's code must not run under a lock.
const typedArray = getPrototypeOf(Uint8Array.prototype) as Uint8Array
const getter = (name: string) => getOwnPropertyDescriptor(typedArray, name)?.get as () => unknown
const [memory, offset] = [getter('buffer'), getter('byteOffset')]
const { set } = typedArray

const NONE: [] = []

/** The number of bytes. A bound call takes two thirds of the time of `Reflect.apply`. */
export const lengthOf = Function.prototype.call.bind(getter('length')) as (bytes: Uint8Array) => number

/** Copies `bytes` to the start of `target`, which has room for them. */
export function copyTo(target: Uint8Array, bytes: Uint8Array): void {
  apply(set, target, [bytes])
}

/** The first bytes, as an array of their own. */
export function firstOf(bytes: Uint8Array, count: number): Uint8Array {
  return new Uint8Array(
    apply(memory, bytes, NONE) as ArrayBuffer,
    apply(offset, bytes, NONE) as number,
    count,
  )
}
