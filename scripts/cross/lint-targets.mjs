// Compiles and lints the core and the addon for other platforms than this machine: macOS, musl, arm64, Windows. It uses the
// compiler of `npm run build:all`, where that was run; with --rustup, which may install missing parts, it covers all
// platforms.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { libnode } from './libnode.mjs'
import { Missing } from './missing.mjs'
import { rustcFor } from './rust.mjs'
import { attempt, output, projectEnv, status } from '../run.mjs'
import { targets } from './targets.mjs'

/** Windows has no package yet: it compiles, and each call answers that it is not supported. */
const WINDOWS = { name: 'win32-x64', triple: 'x86_64-pc-windows-gnullvm', os: 'win32' }

const rustup = process.argv.includes('--rustup')
let failed = 0
for (const target of [...targets, WINDOWS]) {
  try {
    failed += lint(target)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    if (rustup) failed += 1
    console.log(`lint ${rustup ? 'failed' : 'skipped'}: clippy for ${target.name}, missing: ${error.message}`)
  }
}
process.exit(failed === 0 ? 0 : 1)

/** The value of RUSTC. rustup completes the installed one for Windows, whose standard library is compiled nowhere else. */
function rustcOf(target) {
  if (target !== WINDOWS) return rustcFor(target, { rustup, make: false })
  const sysroot = output('rustc', ['--print', 'sysroot'])?.trim()
  const library = sysroot && join(sysroot, 'lib', 'rustlib', target.triple, 'lib')
  if (library && existsSync(library)) return undefined
  if (attempt('rustup', ['target', 'add', target.triple]) === undefined) return undefined
  throw new Missing(`rustup target add ${target.triple}`)
}

function lint(target) {
  const rustc = rustcOf(target)
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
      ...(target === WINDOWS && { LIBNODE_PATH: libnode() }),
      ...(target.libc === 'musl' && { RUSTFLAGS: '-Ctarget-feature=-crt-static' }),
    },
  }
  const command = driver ? ['check', ...args] : ['clippy', ...args, '--', '-D', 'warnings']
  if (status('cargo', command, options) === 0) return 0
  console.log(`os-ipc: clippy complains for ${target.name}`)
  return 1
}
