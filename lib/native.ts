import { load } from './loading.js'

/** The Rust core, as `native.d.cts` describes it. */
export const native: typeof import('../native.cjs') = load()
