const { defineProperty, entries, fromEntries } = Object

/** `util.inspect.custom`. */
const custom = Symbol.for('nodejs.util.inspect.custom')

type Inspect = (value: unknown, options: object) => string
interface Options {
  stylize?: (text: string, style: string) => string
}

/**
 * Makes `console.log` of the objects of a class show these facts: `Semaphore { name: '/ready', value: 3 }`.
 *
 * `facts` may throw: then only the class is shown.
 */
export function inspectable<T extends object>(
  { prototype, name }: { readonly prototype: T; readonly name: string },
  facts: (object: T) => object,
): void {
  function value(this: T, depth: number | null, options: Options, inspect: Inspect): string {
    if (depth !== null && depth < 0) return options.stylize?.(`[${name}]`, 'special') ?? `[${name}]`
    return `${name} ${inspect(known(facts, this), { ...options, depth })}`
  }
  defineProperty(prototype, custom, {
    __proto__: null,
    value,
    configurable: true,
    writable: true,
  } as PropertyDescriptor)
}

/** The facts that are read live: none of a closed object, whose state is shown instead. */
export function live<T extends object>(read: () => T): object {
  try {
    return read()
  } catch (error) {
    const code = (error as { code?: unknown } | undefined)?.code
    if (code === 'ERR_CLOSED' || code === 'ERR_DETACHED') return { closed: true }
    return code === 'EIDRM' ? { removed: true } : { error: code }
  }
}

/** An object without the properties that are `undefined`. */
export function defined(facts: Record<string, unknown>): object {
  return fromEntries(entries(facts).filter(([, value]) => value !== undefined))
}

function known<T extends object>(facts: (object: T) => object, object: T): object {
  try {
    return facts(object)
  } catch {
    return {} // It is the prototype itself, or no object of this class.
  }
}
