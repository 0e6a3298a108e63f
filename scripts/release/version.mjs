// Run by `npm version`, between the change of package.json and the commit: all other manifests follow, and are in that
// commit.

import { keepInStep, version } from './manifests.mjs'
import { output } from '../run.mjs'

const changed = keepInStep()
console.log(`os-ipc: ${version} in ${changed.join(', ') || 'every file'}`)
output('git', ['add', '--', ...changed])
