import type { Answer } from '../errors.js'
import { load } from './loading.js'
import { unloaded } from './unloaded.js'

const outcome = load()

/** Why the addon did not load and what to do; `undefined` if it did. */
export const reason: string | undefined = 'failure' in outcome ? outcome.failure.message : undefined

type Addon = typeof import('../../native.cjs')

/** Its functions return an error instead of throwing one: see `checked`. */
export type Native = {
  readonly [Name in keyof Addon]: Addon[Name] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Answer<Result>
    : Addon[Name]
}

/**
 * The addon, or what throws in its place; each call may return its error.
 *
 * A copy: what an addon exports is filled in property by property, and V8 then looks each of them up by hash at every call.
 */
export const native: Native =
  'failure' in outcome ? unloaded(() => outcome.failure.error()) : ({ ...outcome.native } as Native)
