import type { Answer } from '../errors.js'
import { load } from './loading.js'
import { unloaded } from './unloaded.js'

const outcome = load()

/** The reason why the addon did not load, and the remedy; `undefined` if it loaded. */
export const reason: string | undefined = 'failure' in outcome ? outcome.failure.message : undefined

type Addon = typeof import('../../native.cjs')

/** The addon's functions return an error instead of throwing one: see `checked`. */
export type Native = {
  readonly [Name in keyof Addon]: Addon[Name] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Answer<Result>
    : Addon[Name]
}

/**
 * The addon, or an object in its place whose calls throw. Each call may return an error.
 *
 * It is a copy: the exports of an addon are added property by property, and V8 then finds each of them by a hash lookup
 * at every call.
 */
export const native: Native =
  'failure' in outcome ? unloaded(() => outcome.failure.error()) : ({ ...outcome.native } as Native)
