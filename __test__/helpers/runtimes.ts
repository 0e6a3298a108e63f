import { existsSync } from 'node:fs'

import type { Need } from './requires.ts'
import { find } from '../../scripts/cross/runtimes.mjs'

/** Another JavaScript runtime, where `npm run test:runtimes` has fetched it. */
export function runtime(name: 'bun' | 'deno'): Need & { path: string } {
  const path = find(name)
  return { path, missing: existsSync(path) ? undefined : 'needs npm run test:runtimes' }
}
