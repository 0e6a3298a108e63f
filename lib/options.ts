import { isUint8Array } from 'node:util/types'

import { outOfRange, wrongType, wrongValue } from './errors.js'
import { listed, type OptionNames, unknownOption } from './misuse.js'

const { getPrototypeOf, hasOwn } = Object

/** The identifier of a semaphore or of memory: a name (string) or a raw System V key (32-bit integer). */
export type Id = string | number

/** The kinds of semaphores: `'sysv'` is semget(2), `'posix'` is sem_open(3), `'windows'` is shared memory of Windows. */
export type Backend = 'sysv' | 'posix' | 'windows'

/** All backends. */
export const BACKENDS: readonly Backend[] = Object.freeze(['sysv', 'posix', 'windows'])

/** The backends that a program may name: that of Windows is known there alone. */
const NAMED = process.platform === 'win32' ? BACKENDS : BACKENDS.filter(name => name !== 'windows')

/** Another owner whose objects a call may open, besides this user and root: a uid, or `'any'` for every user. */
export type Owner = number | 'any'

const INT32_MIN = -(2 ** 31)
const UINT32_MAX = 2 ** 32 - 1

/**
 * A name with its slash, or a raw key. A missing slash is added; a key that is written as an unsigned number becomes the
 * signed number that C uses.
 */
export function checkId(id: unknown): Id {
  if (typeof id === 'string') return checkName(id)
  if (typeof id !== 'number') throw wrongType('id', 'a name (string) or a System V key (number)', id)
  return checkInteger('id', id, INT32_MIN, UINT32_MAX) | 0
}

function checkName(name: string): string {
  if (!name.isWellFormed()) throw wrongValue('a name is well-formed Unicode: it has a lone surrogate')
  return name.startsWith('/') ? name : `/${name}`
}

/** The options object itself; a missing one is empty. An option that is not among `names` throws. */
export function checkOptions<T extends object>(
  options: T | undefined,
  names: OptionNames<NoInfer<T>>,
): T | Record<string, never> {
  if (options === undefined) return {}
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw noOptions(options, names)
  for (const name in options) {
    if (!hasOwn(names, name) && hasOwn(options, name)) throw unknownOption(name, names)
  }
  if (!isPlain(options) && !Object.keys(names).some(name => name in options)) throw noOptions(options, names)
  return options
}

/** Whether it is an object of `{}`, of this realm or of another one. */
function isPlain(object: object): boolean {
  const prototype = getPrototypeOf(object)
  return prototype === null || getPrototypeOf(prototype) === null
}

/** A value in the place of the options, such as the signal itself or a promise of the options. */
function noOptions(value: unknown, names: object): TypeError {
  const wrapped = typeof value === 'object' && value !== null && 'aborted' in value && 'signal' in names
  return wrongType('options', wrapped ? '{ signal }' : `an object with ${listed(names)}`, value)
}

/** An integer from `min` to `max`. */
export function checkInteger(what: string, value: unknown, min: number, max: number): number {
  if (typeof value !== 'number') throw wrongType(what, 'a number', value)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw outOfRange(what, `an integer from ${min} to ${max}`, value)
  }
  return value
}

/** `'sysv'`, `'posix'`, or missing. */
export function checkBackend(value: unknown): Backend | undefined {
  const backend = NAMED.find(name => name === value)
  if (backend !== undefined || value === undefined) return backend
  const expected = NAMED.map(name => `'${name}'`).join(' or ')
  if (typeof value !== 'string') throw wrongType('backend', expected, value)
  throw wrongValue(`backend must be ${expected}, received '${value}'`)
}

/** The initial value of a counter, in a backend whose counters end at `most`. */
export function checkInitial(value: unknown, most: number): number {
  return checkInteger('initial', value, 0, most)
}

/** The number of units to post, in a backend whose counters end at `most`. */
export function checkCount(value: unknown, most: number): number {
  return checkInteger('count', value, 1, most)
}

/** Permission bits; 0o600 when missing. */
export function checkMode(value: unknown): number {
  return value === undefined ? 0o600 : checkInteger('mode', value, 0, 0o777)
}

/** A size in bytes. */
export function checkSize(value: unknown): number {
  return checkInteger('size', value, 1, Number.MAX_SAFE_INTEGER)
}

/** A position or length in bytes. */
export function checkBytes(what: string, value: unknown): number {
  return checkInteger(what, value, 0, Number.MAX_SAFE_INTEGER)
}

/** Bytes to copy; `expected` names all types that the caller takes. */
export function checkBytesOf(what: string, value: unknown, expected: string): void {
  if (!isUint8Array(value)) throw wrongType(what, expected, value)
}

/** A position in memory of `size` bytes. */
export function checkPosition(position: unknown, size: number): void {
  if (!(checkBytes('position', position) <= size)) {
    throw outOfRange('position', `at most ${size}, the size of the memory`, position)
  }
}

/** A uid, `'any'`, or missing. */
export function checkOwner(value: unknown): Owner | undefined {
  if (value === undefined || value === 'any') return value
  if (typeof value !== 'number') throw wrongType('owner', "a uid or 'any'", value)
  return checkInteger('owner', value, 0, UINT32_MAX)
}

/** True or false, or missing. */
export function checkBoolean(what: string, value: unknown): boolean {
  if (value === undefined) return false
  if (typeof value !== 'boolean') throw wrongType(what, 'a boolean', value)
  return value
}

/** Milliseconds; `undefined` and `Infinity` wait without a limit. */
export function checkTimeout(value: unknown): number | undefined {
  if (value === undefined || value === Number.POSITIVE_INFINITY) return undefined
  if (typeof value !== 'number') throw wrongType('timeout', 'a number of milliseconds', value)
  if (!(value >= 0)) throw outOfRange('timeout', 'at least 0', value)
  return value
}

/** An AbortSignal of this realm or another: an object with all members that a wait uses. */
export function checkSignal(value: unknown): AbortSignal | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'object' || value === null) throw wrongType('signal', 'an AbortSignal', value)
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>
  const complete =
    typeof aborted === 'boolean' &&
    typeof addEventListener === 'function' &&
    typeof removeEventListener === 'function'
  if (!complete) throw wrongType('signal', 'an AbortSignal', value)
  return value as AbortSignal
}
