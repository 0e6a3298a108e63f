import { load } from './loading.js'

/**
 * The Rust core, as `native.d.cts` describes it.
 *
 * A copy: what an addon exports is filled in property by property, and V8 then looks each of them up by hash at every call.
 */
export const native: typeof import('../../native.cjs') = { ...load() }
