// Compiles and lints the core and the addon for other platforms than this machine: macOS, musl, arm64, Windows. It uses the
// compiler of `npm run build:all`, where that was run; with --rustup, which may install missing parts, it covers all
// platforms.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { libnode } from './libnode.mjs'
import { Missing } from './missing.mjs'
import { rustcFor } from './rust.mjs'
import { projectEnv, status } from '../run.mjs'
import { targets } from './targets.mjs'

const rustup = process.argv.includes('--rustup')
let failed = 0
for (const target of targets) {
  try {
    failed += lint(target)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    if (rustup) failed += 1
    console.log(`lint ${rustup ? 'failed' : 'skipped'}: clippy for ${target.name}, missing: ${error.message}`)
  }
}
process.exit(failed === 0 ? 0 : 1)

function lint(target) {
  const rustc = rustcFor(target, { rustup, make: false })
  const args = [
    '--quiet',
    '--package',
    'os-ipc',
    '--package',
    'os-ipc-node',
    '--lib',
    '--target',
    target.triple,
  ]
  // `cargo clippy` starts its own compiler; this does the same with another one.
  const driver = rustc && join(dirname(rustc), 'clippy-driver')
  if (driver && !existsSync(driver)) throw new Missing('clippy')
  const other = driver && {
    RUSTC: rustc,
    RUSTC_WORKSPACE_WRAPPER: driver,
    CLIPPY_ARGS: '-Dwarnings__CLIPPY_HACKERY__',
    CARGO_TARGET_DIR: join(dirname(rustc), 'target'),
  }
  const options = {
    env: {
      ...projectEnv,
      ...other,
      ...(target.os === 'win32' && { LIBNODE_PATH: libnode() }),
      ...(target.libc === 'musl' && { RUSTFLAGS: '-Ctarget-feature=-crt-static' }),
    },
  }
  const command = driver ? ['check', ...args] : ['clippy', ...args, '--', '-D', 'warnings']
  if (status('cargo', command, options) === 0) return 0
  console.log(`os-ipc: clippy complains for ${target.name}`)
  return 1
}
