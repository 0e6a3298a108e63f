// `npm run sanitize [-- address|thread]`: AddressSanitizer over the ava suite, ThreadSanitizer over the core's tests.
//
// Both are unstable options of rustc: RUSTC_BOOTSTRAP lets a stable one take them. docs/reliability.md says what they
// saw, and what they cannot see without a std that is built for them.

import { copyFileSync } from 'node:fs'
import { join } from 'node:path'

import { isolated } from './isolate.mjs'
import { preparePeers } from './peers.mjs'
import { fail, output, projectEnv, root, run, status } from './run.mjs'
import { setup } from './setup.mjs'

const TARGET = output('rustc', ['--print', 'host-tuple'])?.trim() ?? 'x86_64-unknown-linux-gnu'
const ADDON = join(root, '.cache/os-ipc.asan.node')

const which = process.argv.slice(2)
const runs = name => which.length === 0 || which.includes(name)

if (!process.env.OS_IPC_ISOLATED) {
  setup({ quiet: true })
  preparePeers()
  if (runs('address')) buildAddon()
}
process.exitCode = isolated('sanitize.mjs', which) ?? sanitize()

function sanitize() {
  const codes = []
  if (runs('thread')) codes.push(testCore())
  if (runs('address')) codes.push(testAddon())
  return codes.every(code => code === 0) ? 0 : 1
}

/** The runtime of the sanitizer is gcc's, loaded first: Node itself is not built with one. */
function buildAddon() {
  run('cargo', ['build', '--quiet', '-p', 'os-ipc-node', '--target', TARGET, '--target-dir', 'target/asan'], {
    env: instrumented('-Zsanitizer=address -Zexternal-clangrt'),
  })
  copyFileSync(join(root, `target/asan/${TARGET}/debug/libos_ipc_node.so`), ADDON)
}

function testAddon() {
  const runtime = output('gcc', ['-print-file-name=libasan.so'])?.trim()
  if (!runtime?.startsWith('/')) fail('AddressSanitizer needs libasan: apt-get install gcc')
  // Leaks are what the tests look for themselves: V8 frees nothing at its end.
  const env = {
    ...projectEnv,
    LD_PRELOAD: runtime,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1',
    NAPI_RS_NATIVE_LIBRARY_PATH: ADDON,
  }
  return status('ava', ['--tap', '--timeout=5m'], { env })
}

/** Only what the core does with threads: the std of the toolchain is not instrumented, so a lock that had to wait is not seen. */
function testCore() {
  const args = ['test', '--quiet', '-p', 'os-ipc', '--lib', '--target', TARGET, '--target-dir', 'target/tsan']
  return status('cargo', [...args, '--', '--test-threads=1'], { env: instrumented('-Zsanitizer=thread') })
}

function instrumented(flags) {
  return { ...projectEnv, RUSTC_BOOTSTRAP: '1', RUSTFLAGS: `${flags} -Cunsafe-allow-abi-mismatch=sanitizer` }
}
