import { wrongType, wrongValue, wrongWith } from './errors.js'
import { closest } from './closest.js'

/**
 * The names of all options of a call. The type makes a missing name and a wrong one an error:
 * `const NAMES: OptionNames<WaitOptions> = { timeout: true, signal: true }`.
 */
export type OptionNames<T> = { readonly [Name in keyof Required<T>]: true }

/** An option that the call does not have. */
export function unknownOption(name: string, names: object): TypeError {
  const short = name.length > 40 ? `${name.slice(0, 40)}...` : name
  const meant = closest(short, Object.keys(names))
  const advice = meant === undefined ? `this call has ${listed(names)}` : `did you mean '${meant}'?`
  return wrongValue(`unknown option '${short}': ${advice}`)
}

/** The names of options in a sentence. */
export function listed(names: object): string {
  const all = Object.keys(names)
  const last = all.pop()
  return all.length === 0 ? `${last}` : `${all.join(', ')} and ${last}`
}

/** `new Limit('/jobs')`: the class makes its objects in static methods, or `maker` makes them. */
export function noConstructor(name: string, calls: readonly string[], maker = name): TypeError {
  const all = calls.map(call => `${maker}.${call}`)
  const last = all.pop()
  const advice = all.length === 0 ? last : `${all.join(', ')} or ${last}`
  return wrongWith('ERR_ILLEGAL_CONSTRUCTOR', `${name} has no public constructor: call ${advice}`)
}

/** A method that was called without its object, as in `const { acquire } = limit; acquire()`. */
export function detached(noun: string, method: string): TypeError {
  return wrongWith(
    'ERR_INVALID_THIS',
    `${method}() was called without its ${noun}: call ${noun}.${method}(), or pass on (...args) => ${noun}.${method}(...args)`,
  )
}

/** The function of `use`, which comes before the options; in `locks.request` it comes after them, as in the DOM. */
export function checkUsed(fn: unknown): void {
  if (typeof fn === 'function') return
  throw wrongType(
    'fn',
    fn !== null && typeof fn === 'object' ? 'a function: use(fn, options)' : 'a function',
    fn,
  )
}
