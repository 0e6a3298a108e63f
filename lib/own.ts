// The own properties of an object. Plain reads and assignments also use its prototypes, where a program, or a library of
// the program, may have put an accessor: for `code` on `Error.prototype`, for example.

const { defineProperty, hasOwn } = Object

/** Gives an object an own property; does nothing where the value is `undefined`. */
export function define<T extends object>(object: T, key: PropertyKey, value: unknown): T {
  if (value !== undefined) {
    defineProperty(object, key, {
      __proto__: null,
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    } as PropertyDescriptor)
  }
  return object
}

/** The object's own property. */
export function own<T extends object, K extends keyof T>(object: T, key: K): T[K] | undefined {
  return hasOwn(object, key) ? object[key] : undefined
}
