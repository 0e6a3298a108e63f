/** What an {@link IpcError} carries besides its message. */
interface IpcErrorDetails {
  errno?: number | undefined
  syscall?: string | undefined
  hint?: string | undefined
  uid?: number | undefined
  mode?: number | undefined
  limit?: number | undefined
  cause?: unknown
}

/**
 * An operation that the operating system, or the state of the object, did not allow.
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
    this.prototype.name = 'IpcError'
  }

  /** The errno's name (`'EEXIST'`, `'EIDRM'`, ...) or a code of this package (`'ERR_NAME_COLLISION'`, ...). */
  readonly code: string
  /** The negative errno, as in Node's own errors; only where a system call failed. */
  declare readonly errno?: number
  /** The system call that failed, such as `'semget'`. */
  declare readonly syscall?: string
  /** What it means here and what to do about it; every error of a system call has one. */
  declare readonly hint?: string
  /** Whose the object is that is in the way, where that is known. */
  declare readonly uid?: number
  /** The permission bits of that object. */
  declare readonly mode?: number
  /** The limit that was reached: a number of bytes, files, sets or units, as the hint says. */
  declare readonly limit?: number

  constructor(code: string, message: string, details: IpcErrorDetails = {}) {
    const { errno, syscall, hint, uid, mode, limit, cause } = details
    super(message, cause === undefined ? undefined : { cause })
    this.code = code
    if (errno !== undefined) this.errno = errno
    if (syscall !== undefined) this.syscall = syscall
    if (hint !== undefined) this.hint = hint
    if (uid !== undefined) this.uid = uid
    if (mode !== undefined) this.mode = mode
    if (limit !== undefined) this.limit = limit
  }
}

/** A value of the wrong type. */
export function wrongType(what: string, expected: string, received: unknown): TypeError {
  return withCode(
    new TypeError(`${what} must be ${expected}, received ${shown(received)}`),
    'ERR_INVALID_ARG_TYPE',
  )
}

/** A value of the right type that nothing can be done with. */
export function wrongValue(message: string): TypeError {
  return withCode(new TypeError(message), 'ERR_INVALID_ARG_VALUE')
}

/** A number outside its range. */
export function outOfRange(what: string, expected: string, received: unknown): RangeError {
  return withCode(
    new RangeError(`${what} must be ${expected}, received ${shown(received)}`),
    'ERR_OUT_OF_RANGE',
  )
}

/** The error for what the native core refused; called by the addon. */
export function fromNative(
  code: string,
  message: string,
  errno: number | null,
  syscall: string | null,
  hint: string | null,
  uid: number | null,
  mode: number | null,
  limit: number | null,
): Error {
  if (code === 'ERR_INVALID_ARG_VALUE') return withCode(withHint(new TypeError(message), hint), code)
  if (code === 'ERR_OUT_OF_RANGE') return withCode(withHint(new RangeError(message), hint), code)
  return new IpcError(code, message, {
    errno: errno ?? undefined,
    syscall: syscall ?? undefined,
    hint: hint ?? undefined,
    uid: uid ?? undefined,
    mode: mode ?? undefined,
    limit: limit ?? undefined,
  })
}

function withCode<E extends Error>(error: E, code: string): E & { code: string } {
  return Object.assign(error, { code })
}

function withHint<E extends Error>(error: E, hint: string | null): E {
  return hint === null ? error : Object.assign(error, { hint })
}

/** A value as an error message shows it: short, and never by running its own code. */
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
