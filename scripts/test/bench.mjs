// `npm run bench [-- --only NAME] [-- --write]`, `npm run bench:smoke`: sets up, installs and builds the packages to compare
// with, then measures, in namespaces where no other program makes semaphores and segments.

import { preparePrograms } from '../../benchmark/shared/programs.mjs'
import { isolated } from './isolate.mjs'
import { setup } from '../setup.mjs'

const args = process.argv.slice(2)
if (!process.env.OS_IPC_ISOLATED) {
  setup({ quiet: true })
  preparePrograms()
}
const inside = isolated('test/bench.mjs', args)
if (inside === undefined) await import('../../benchmark/main.mjs')
else process.exitCode = inside
