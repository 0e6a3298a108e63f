import { define, own } from './own.js'
import { remedied } from './remedies.js'
import { acrossCopies } from './copies.js'

// The functions as they are when the package is loaded. Code may read an error at any moment, and must not run the program's code.
const { apply } = Reflect
const { indexOf, slice } = String.prototype

const NO_DETAILS: IpcErrorDetails = { __proto__: null } as IpcErrorDetails

/** The properties of an {@link IpcError} besides its message. */
export interface IpcErrorDetails {
  errno?: number | undefined
  syscall?: string | undefined
  hint?: string | undefined
  uid?: number | undefined
  mode?: number | undefined
  limit?: number | undefined
  holders?: readonly { readonly pid: number; readonly permits: number }[] | undefined
  cause?: unknown
}

/**
 * An operation that the operating system or the state of the object did not allow.
 *
 * It looks like a system error of Node: `ENOSPC: cannot create the semaphore, semget '/jobs'`.
 * Misuse (a wrong type, a bad name, a number out of range) is a `TypeError` or a `RangeError` instead.
 *
 * @example
 * ```ts
 * try {
 *   Semaphore.open('/jobs')
 * } catch (error) {
 *   if (!(error instanceof IpcError && error.code === 'ENOENT')) throw error
 * }
 * ```
 */
export class IpcError extends Error {
  static {
    define(this.prototype, 'name', 'IpcError')
  }

  /** The errno's name (`'EEXIST'`, `'EIDRM'`, ...) or a code of this package (`'ERR_NAME_COLLISION'`, ...). */
  readonly code: string
  /** The negative errno, as in Node's own errors; missing if no system call failed. */
  declare readonly errno?: number
  /** The system call that failed, such as `'semget'`. */
  declare readonly syscall?: string
  /** The meaning of the error here, and the remedy; every error of a system call has one. */
  declare readonly hint?: string
  /** The owner's uid of the object that the call could not use, where it is known. */
  declare readonly uid?: number
  /** The permission bits of that object. */
  declare readonly mode?: number
  /** The limit that was reached: a number of bytes, files, sets or units, as the hint says. */
  declare readonly limit?: number
  /** The holders of the limit, with their numbers of permits, when a wait for a permit ended with `ETIMEDOUT`. */
  declare readonly holders?: readonly { readonly pid: number; readonly permits: number }[]

  constructor(code: string, message: string, details: IpcErrorDetails = NO_DETAILS) {
    const cause = own(details, 'cause')
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    define(this, 'errno', own(details, 'errno'))
    define(this, 'syscall', own(details, 'syscall'))
    define(this, 'hint', own(details, 'hint'))
    define(this, 'uid', own(details, 'uid'))
    define(this, 'mode', own(details, 'mode'))
    define(this, 'limit', own(details, 'limit'))
    define(this, 'holders', own(details, 'holders'))
  }
}

acrossCopies(IpcError, 'IpcError')

/** A value of the wrong type. */
export function wrongType(what: string, expected: string, received: unknown): TypeError {
  return withCode(
    new TypeError(`${what} must be ${expected}, received ${shown(received)}`),
    'ERR_INVALID_ARG_TYPE',
  )
}

/** A value of the right type that no call accepts. */
export function wrongValue(message: string): TypeError {
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE')
}

/** A mistake in the program that has a code of its own. */
export function wrongWith(code: string, message: string): TypeError {
  return withCode(new TypeError(message), code)
}

/** A number outside its range. */
export function outOfRange(what: string, expected: string, received: unknown): RangeError {
  return withCode(
    new RangeError(`${what} must be ${expected}, received ${shown(received)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** The text of an error that the addon returns instead of a value. */
export type Failure = string & { readonly failure: never }

/** The result of a call of the addon. */
export type Answer<T> = T | Failure

/**
 * Returns the value of a call of the addon.
 *
 * @throws The error, if the addon returned one.
 */
export function checked<T>(answer: Answer<T>): T {
  if (typeof answer === 'string') throw fromNative(answer as Failure)
  return answer as T
}

/** The error of a failed call: its text has code, errno, system call, hint, uid, mode, limit, remedy and message. */
export function fromNative(failure: Failure): Error {
  let start = 0
  const next = (): string => {
    const end = apply(indexOf, failure, ['\0', start])
    const part = apply(slice, failure, [start, end])
    start = end + 1
    return part
  }
  const code = next()
  const errno = next()
  const syscall = next()
  const plain = next()
  const uid = next()
  const mode = next()
  const limit = next()
  const hint = remedied(plain, next(), uid)
  const message = apply(slice, failure, [start])
  if (code === 'ERR_INVALID_ARG_VALUE') return withCode(withHint(new TypeError(message), hint), code)
  if (code === 'ERR_OUT_OF_RANGE') return withCode(withHint(new RangeError(message), hint), code)
  return new IpcError(code, message, {
    errno: errno ? +errno : undefined,
    syscall: syscall || undefined,
    hint: hint || undefined,
    uid: uid ? +uid : undefined,
    mode: mode ? +mode : undefined,
    limit: limit ? +limit : undefined,
  })
}

function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return define(error, 'code', code) as E & { code: string }
}

function withHint<E extends Error>(error: E, hint: string | undefined): E {
  return define(error, 'hint', hint || undefined)
}

/** The short form of a value in an error message. It never runs code of the value. */
function shown(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return value.length > 40 ? `'${value.slice(0, 40)}...'` : `'${value}'`
    case 'number':
      return `${value}`
    case 'bigint':
      return `the BigInt ${value}n`
    case 'function':
      return 'a function'
    case 'object':
      return value === null ? 'null' : Array.isArray(value) ? 'an array' : 'an object'
    default:
      return String(value)
  }
}
