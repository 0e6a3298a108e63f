const { apply, defineProperty } = Reflect

/** The standard `instanceof`. */
const isInstance = Function.prototype[Symbol.hasInstance]

/**
 * Makes `instanceof` true for instances of every copy of a class. A process can have several evaluations of this package,
 * and each has its own class.
 *
 * All copies mark their instances with one shared symbol. For a subclass, the standard `instanceof` decides.
 */
export function acrossCopies(type: { readonly prototype: object }, name: string): void {
  const mark = Symbol.for(`os-ipc.${name}`)
  hide(type.prototype, mark, true)
  hide(type, Symbol.hasInstance, function (this: unknown, value: unknown): boolean {
    if (this !== type) return apply(isInstance, this as never, [value])
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[mark] === true
  })
}

/** The value that all copies share; the first copy puts it on `object`. */
export function sharedByCopies<T>(object: object, name: string, first: T): T {
  const key = Symbol.for(`os-ipc.${name}`)
  if (!(key in object)) hide(object, key, first)
  return (object as Record<symbol, T>)[key] as T
}

function hide(object: object, key: symbol, value: unknown): void {
  defineProperty(object, key, { __proto__: null, value, configurable: true } as PropertyDescriptor)
}
