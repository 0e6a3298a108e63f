// `npm run demo [-- FILE]`: set up what is missing, then the demo with its arguments and its exit code.

import { spawnSync } from 'node:child_process'
import { constants } from 'node:os'
import { join } from 'node:path'

import { projectEnv, root } from './run.mjs'
import { setup } from './setup.mjs'

setup({ quiet: true })

const main = join(root, 'examples', 'demo', 'main.mjs')
const { status, signal } = spawnSync('node', [main, ...process.argv.slice(2)], {
  // Relative file names are the caller's, not the package's.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  env: projectEnv,
  stdio: 'inherit',
})
process.exit(signal ? 128 + constants.signals[signal] : status)
