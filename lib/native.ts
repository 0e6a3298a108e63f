import { createRequire } from 'node:module'

/** The Rust core, as `native.d.cts` describes it. */
export const native: typeof import('../native.cjs') = createRequire(import.meta.url)('../native.cjs')
