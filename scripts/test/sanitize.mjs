// `npm run sanitize [-- miri|thread|address]`: Miri over the code without system calls, ThreadSanitizer over the core's
// tests, AddressSanitizer over the ava suite. docs/reliability.md has their results.
//
// Miri is a component of a nightly Rust, and ThreadSanitizer needs a std that is compiled for it, from rust-src. The options
// of AddressSanitizer are unstable: RUSTC_BOOTSTRAP lets a stable rustc accept them.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

import { isolated } from './isolate.mjs'
import { preparePeers } from './peers.mjs'
import { fail, output, projectEnv, root, run, status } from '../run.mjs'
import { setup } from '../setup.mjs'

const TARGET = output('rustc', ['--print', 'host-tuple'])?.trim() ?? 'x86_64-unknown-linux-gnu'
const ADDON = join(root, '.cache/os-ipc.asan.node')

const which = process.argv.slice(2)
const NIGHTLY = 'nightly'
/** The modules whose tests make no system call. */
const PURE = [
  'error::',
  'key::',
  'limits::',
  'name::',
  'record::',
  'patience::',
  'access::',
  'sys::copy::',
  'waiting::spin::budget::',
  'layout::',
]

/** The tests of the addon itself: the others install it, bundle it, or load another one. */
const TESTS = ['addon/leaks', 'lock/*', 'memory/*', 'semaphore/*', 'waiting/*'].map(
  name => `__test__/${name}.test.ts`,
)

const runs = name => which.length === 0 || which.includes(name)

if (!process.env.OS_IPC_ISOLATED) {
  setup({ quiet: true })
  preparePeers()
  if (runs('address')) buildAddon()
}
process.exitCode = isolated('test/sanitize.mjs', which) ?? sanitize()

function sanitize() {
  const codes = []
  if (runs('miri')) codes.push(interpretCore())
  if (runs('thread')) codes.push(testCore())
  if (runs('address')) codes.push(testAddon())
  return codes.every(code => code === 0) ? 0 : 1
}

/** Builds with the sanitizer's runtime from gcc, which is loaded first, because Node itself is not built with one. */
function buildAddon() {
  run('cargo', ['build', '--quiet', '-p', 'os-ipc-node', '--target', TARGET, '--target-dir', 'target/asan'], {
    env: instrumented('-Zsanitizer=address -Zexternal-clangrt'),
  })
  copyFileSync(join(root, `target/asan/${TARGET}/debug/libos_ipc_node.so`), ADDON)
}

function testAddon() {
  const runtime = output('gcc', ['-print-file-name=libasan.so'])?.trim()
  if (!runtime?.startsWith('/')) fail('AddressSanitizer needs libasan: apt-get install gcc')
  // The tests themselves search for leaks, because V8 frees nothing at its end.
  const env = {
    ...projectEnv,
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
    NAPI_RS_NATIVE_LIBRARY_PATH: ADDON,
    OS_IPC_PATIENCE: '10',
  }
  return status('ava', ['--tap', '--timeout=5m', ...TESTS], { env })
}

/** Tests with an instrumented std: the locks of an ordinary std would look like races. */
function testCore() {
  needComponent('rust-src')
  const options = [
    // A test raises a SIGBUS outside of this package's mappings, and checks how the process dies.
    'handle_sigbus=0',
    `suppressions=${join(root, 'scripts/test/thread-sanitizer.supp')}`,
  ]
  const args = [
    'test',
    '--quiet',
    '--no-fail-fast',
    '-Zbuild-std',
    '-p',
    'os-ipc',
    '--target',
    TARGET,
    '--target-dir',
    'target/tsan',
  ]
  return status('cargo', [`+${NIGHTLY}`, ...args, '--lib', '--tests'], {
    env: { ...instrumented('-Zsanitizer=thread'), TSAN_OPTIONS: options.join(' ') },
  })
}

function interpretCore() {
  needComponent('miri')
  const args = [
    'miri',
    'test',
    '--quiet',
    '-p',
    'os-ipc',
    '--lib',
    '--target-dir',
    'target/miri',
    '--',
    ...PURE,
  ]
  // The fuzzers get fewer rounds, because Miri is a hundred times slower. Under isolation they could not read the clock.
  const env = { ...projectEnv, MIRIFLAGS: '-Zmiri-disable-isolation', PROPTEST_CASES: '10' }
  return status('cargo', [`+${NIGHTLY}`, ...args], { env })
}

function needComponent(name) {
  const installed = output('rustup', ['component', 'list', '--toolchain', NIGHTLY, '--installed']) ?? ''
  if (installed.split('\n').some(line => line.startsWith(name))) return
  fail(`${name} is missing: rustup toolchain install ${NIGHTLY} --component ${name}`)
}

function instrumented(flags) {
  return { ...projectEnv, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: `${flags} -Cunsafe-allow-abi-mismatch=sanitizer` }
}
