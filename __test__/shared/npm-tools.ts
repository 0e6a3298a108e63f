import { existsSync } from 'node:fs'

import type { Need } from './requires.ts'
import { find } from '../../scripts/cross/npm-tools.mjs'

/** A program from npm that is not a devDependency, if `npm run tools` has fetched it. */
export function npmTool(name: string): Need & { path: string } {
  const path = find(name)
  return { path, missing: existsSync(path) ? undefined : `needs ${name}: npm run tools -- ${name}` }
}
