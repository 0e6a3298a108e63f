// `npm run stress [-- --short] [-- --only NAME] [-- --write]`: sets up, then tests every promise of stress/promises.

import { isolated } from './isolate.mjs'
import { preparePeers } from './peers.mjs'
import { status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { buildForStress } from './stress-builds.mjs'

const args = process.argv.slice(2)
setup()
preparePeers()
buildForStress()
process.exitCode = isolated('../stress/run.ts', args) ?? status('node', ['stress/run.ts', ...args])
