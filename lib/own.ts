// Properties of an object itself. Reading and assigning also look at its prototypes, where a program, or a library that it
// uses, may have put an accessor: for `code` on `Error.prototype`, say.

const { defineProperty, hasOwn } = Object

/** Gives an object a property of its own; none where the value is `undefined`. */
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
