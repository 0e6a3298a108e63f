import { load } from './loading.js'
import { unloaded } from './unloaded.js'

/** The Rust core, as `native.d.cts` describes it. */
export type Native = typeof import('../../native.cjs')

const outcome = load()

/** Why the addon did not load and what to do; `undefined` if it did. */
export const reason: string | undefined = 'failure' in outcome ? outcome.failure.message : undefined

/**
 * The addon, or what throws in its place.
 *
 * A copy: what an addon exports is filled in property by property, and V8 then looks each of them up by hash at every call.
 */
export const native: Native =
  'failure' in outcome ? unloaded(() => outcome.failure.error()) : { ...outcome.native }
