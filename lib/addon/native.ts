import type { Answer } from '../errors.js'
import { load } from './loading.js'

type Addon = typeof import('../../native.cjs')

/** Its functions return an error instead of throwing one: see `checked`. */
type Native = {
  readonly [Name in keyof Addon]: Addon[Name] extends (...args: infer Arguments) => infer Result
    ? (...args: Arguments) => Answer<Result>
    : Addon[Name]
}

/**
 * The Rust core, as `native.d.cts` describes it; each call may return its error.
 *
 * A copy: what an addon exports is filled in property by property, and V8 then looks each of them up by hash at every call.
 */
export const native: Native = { ...load() }
