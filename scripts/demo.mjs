// `npm run demo [-- FILE]`: sets up the missing parts, then runs the demo with its arguments and its exit code.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:os'
import { join } from 'node:path'

import { projectEnv, root } from './run.mjs'
import { setup } from './setup.mjs'

setup({ quiet: true })

const main = join(root, 'examples', 'demo', 'main.mjs')
const demo = spawn('node', [main, ...process.argv.slice(2)], {
  // Relative file names are relative to the caller's folder, not to the package's.
  cwd: process.env.INIT_CWD ?? process.cwd(),
  env: projectEnv,
  stdio: 'inherit',
})
// The demo cleans up after a signal, and this process ends after it. Ctrl-C reaches the demo directly.
process.on('SIGINT', () => {})
for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => demo.kill(signal))

const [status, signal] = await once(demo, 'exit')
process.exit(signal ? 128 + constants.signals[signal] : status)
