// `npm version` runs this between the change of package.json and the commit: it updates all other manifests, which are then
// in that commit.

import { keepInStep, version } from './manifests.mjs'
import { output } from '../run.mjs'

const changed = keepInStep()
console.log(`os-ipc: ${version} in ${changed.join(', ') || 'every file'}`)
output('git', ['add', '--', ...changed])
