import { checkSignal, checkTimeout } from '../options.js'
import { wrongType, wrongValue } from '../errors.js'
import type { LockGrantedCallback, LockMode } from './types.js'

/** A request whose arguments were checked. */
export interface LockRequest {
  readonly name: string
  readonly mode: LockMode
  readonly ifAvailable: boolean
  readonly signal: AbortSignal | undefined
  /** Milliseconds; `undefined` waits without a limit. */
  readonly timeout: number | undefined
  readonly callback: LockGrantedCallback<unknown>
}

/**
 * Converts the arguments of `request` as Web IDL specifies, and refuses those that the Web Locks specification refuses.
 *
 * {@link https://w3c.github.io/web-locks/#api-lock-manager-request}
 */
export function checkRequest(args: readonly unknown[]): LockRequest {
  if (args.length < 2) throw wrongType('callback', 'a function', undefined)
  const [first, second, third] = args
  const name = checkName(`${first as string}`)
  const { mode, ifAvailable, signal, steal, timeout } = dictionary(args.length > 2 ? second : undefined)
  const callback = args.length > 2 ? third : second
  if (typeof callback !== 'function') throw wrongType('callback', 'a function', callback)

  if (name.startsWith('-')) throw notSupported(`the name of a lock does not start with '-': '${name}'`)
  if (steal && ifAvailable) throw notSupported('steal and ifAvailable exclude each other')
  if (steal && mode !== 'exclusive') throw notSupported("steal is for the mode 'exclusive'")
  if (signal !== undefined && (steal || ifAvailable)) {
    throw notSupported('a signal excludes steal and ifAvailable: there is no wait to end')
  }
  if (steal) {
    throw notSupported(
      'steal is not supported, because the code of the other process would go on as if it had the lock: end that process, and the lock is free',
    )
  }
  return { name, mode, ifAvailable, signal, timeout, callback: callback as LockGrantedCallback<unknown> }
}

function checkName(name: string): string {
  if (!name.isWellFormed()) throw wrongValue('a name is well-formed Unicode: it has a lone surrogate')
  return name
}

/** The members of `LockOptions`, read in the order of Web IDL, which ignores all others. */
function dictionary(options: unknown) {
  if (options !== undefined && options !== null && !isObject(options)) {
    throw wrongType('options', 'an object', options)
  }
  const given = (options ?? { __proto__: null }) as Record<string, unknown>
  const ifAvailable = Boolean(given['ifAvailable'])
  const mode = checkMode(given['mode'])
  const signal = checkSignal(given['signal'])
  const steal = Boolean(given['steal'])
  const timeout = checkTimeout(given['timeout'])
  return { ifAvailable, mode, signal, steal, timeout }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' || typeof value === 'function'
}

function checkMode(value: unknown): LockMode {
  const mode = value === undefined ? 'exclusive' : `${value as string}`
  if (mode === 'exclusive' || mode === 'shared') return mode
  throw wrongValue(`mode must be 'exclusive' or 'shared', received '${mode}'`)
}

function notSupported(message: string): DOMException {
  return new DOMException(message, 'NotSupportedError')
}
