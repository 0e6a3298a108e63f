// `npm run build:all [-- [--rustup] [--possible] TARGET...]`: builds the addon of every platform, or of the named ones
// (`linux-arm64-musl`), into npm/<target>. It fetches the tools into a cache outside of the clone (scripts/cross) and prints
// each step. A target whose tools are not available is one clear line, and makes the exit code 1 unless --possible is
// given. With --rustup it lets rustup install missing standard libraries, where rustup has them, instead of compiling
// them.

import { copyFileSync, mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { cache } from './cache.mjs'
import { libnode } from './libnode.mjs'
import { Missing } from './missing.mjs'
import { remapped } from './paths.mjs'
import { rustcFor } from './rust.mjs'
import { zig, zigEnvironment } from './zig.mjs'
import { fail, projectEnv, root, status } from '../run.mjs'
import { GLIBC_FLOOR, selected } from './targets.mjs'
import { checkTools } from '../test/tools.mjs'

/** The file that the compiler makes, by operating system. */
const LIBRARIES = {
  linux: 'libos_ipc_node.so',
  darwin: 'libos_ipc_node.dylib',
  win32: 'os_ipc_node.dll',
}

const args = process.argv.slice(2)
const rustup = args.includes('--rustup')
const possible = args.includes('--possible')
let wanted
try {
  wanted = selected(args.filter(arg => !['--rustup', '--possible'].includes(arg)))
} catch (error) {
  fail(error.message, 2)
}
checkTools()
let failed = 0
for (const target of wanted) {
  const start = performance.now()
  try {
    if (!build(target)) {
      failed += 1
      console.error(`os-ipc: ${target.name} does not build`)
      continue
    }
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    const kilobytes = (statSync(target.path).size / 1024).toFixed(0)
    console.log(`os-ipc: built npm/${target.name}/${target.file}, ${kilobytes} KB, in ${seconds} s`)
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    if (!possible) failed += 1
    console.error(`os-ipc: no ${target.name}, missing: ${error.message}`)
  }
}
process.exitCode = failed === 0 ? 0 : 1

/** Whether it compiled and linked. */
function build(target) {
  const native = process.platform === 'darwin' && target.os === 'darwin'
  const rustc = rustcFor(target, { rustup })
  // The build products belong to one compiler and one standard library, and lie beside them.
  const folder = join(rustc ? dirname(rustc) : cache, 'target')
  const env = {
    ...projectEnv,
    CARGO_TARGET_DIR: folder,
    RUSTFLAGS: flags(target).join(' '),
    ...(rustc && { RUSTC: rustc }),
    ...(target.macos && { MACOSX_DEPLOYMENT_TARGET: target.macos }),
    ...(target.os === 'win32' && { LIBNODE_PATH: libnode() }),
    ...(!native && zigEnvironment()),
  }
  const triple = target.libc === 'gnu' ? `${target.triple}.${GLIBC_FLOOR}` : target.triple
  const args = ['--release', '--quiet', '--locked', '--package', 'os-ipc-node', '--target']
  const code = native
    ? status('cargo', ['build', ...args, target.triple], { env, quiet: true })
    : status(zig().zigbuild, ['zigbuild', ...args, triple], { env, quiet: true })
  if (code !== 0) return false
  const library = LIBRARIES[target.os]
  mkdirSync(target.folder, { recursive: true })
  copyFileSync(join(folder, target.triple, 'release', library), target.path)
  return true
}

/** The flags of rustc. */
function flags(target) {
  return [
    remapped(root, 'os-ipc'),
    // A musl binary is static without it, and an addon cannot be.
    ...(target.libc === 'musl' ? ['-Ctarget-feature=-crt-static'] : []),
    // By default the linker records a path of this machine as the name, and Rust names libraries that nothing here needs.
    ...(target.os === 'darwin'
      ? [`-Clink-arg=-Wl,-install_name,@rpath/${target.file}`, '-Clink-arg=-Wl,-dead_strip_dylibs']
      : []),
  ]
}
