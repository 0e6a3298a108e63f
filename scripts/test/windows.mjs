// `npm run test:windows [-- 22|24|26...]`: runs the tests on Windows' own Node under Wine: the Rust tests of the core, the
// conformance suite, and the ava suite. What is left out, because it is about another platform or because Wine cannot do
// it, is listed by its title with the reason (windows-left-out.mjs), and counts as skipped.
//
// Without a version it takes Node 24. Wine, Node and the compiler's parts are fetched into the cache of scripts/cross.

import { closeSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join, sep } from 'node:path'
import { tmpdir } from 'node:os'

import { FILES, leftOutTitle, reasonOf } from './windows-left-out.mjs'
import { cache } from '../cross/cache.mjs'
import { endWine, NODES, windowsNode, windowsPath, wine } from '../cross/wine.mjs'
import { libnode } from '../cross/libnode.mjs'
import { Missing } from '../cross/missing.mjs'
import { report } from './conformance.mjs'
import { attempt, fail, output, root, status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { zig, zigEnvironment } from '../cross/zig.mjs'
import { windowsTargets } from '../cross/targets.mjs'

/** The longest run of one suite, in minutes. */
const LIMIT_MINUTES = 15
/** The titles of tests in a source. */
const TITLE = /\b(?:test|test\.serial|requires\(.*\))\(\s*['"`](.*?)['"`],/g
const RUST_TITLE = /#\[test\](?:\s*#\[.*\])*\s*fn (\w+)/g

const majors = process.argv.slice(2).filter(arg => arg !== '--')
const unknown = majors.find(major => !NODES[major])
if (unknown) fail(`${unknown} is none of ${Object.keys(NODES).join(', ')}`, 2)

const target = windowsTargets.find(({ cpu }) => cpu === 'x64')
const folder = mkdtempSync(join(tmpdir(), 'os-ipc-windows-'))
let [failed, machine] = [0, undefined]
try {
  setup({ quiet: true })
  machine = wine()
  if (status('node', ['scripts/cross/build-all.mjs', '--rustup', target.name]) !== 0)
    throw new Missing('the addon')
  failed += testCore()
  for (const major of majors.length > 0 ? majors : ['24']) {
    failed += testConformance(major)
    failed += testAva(major)
  }
} catch (error) {
  if (!(error instanceof Missing)) throw error
  console.log(`ok 1 - windows # SKIP missing: ${error.message}`)
} finally {
  if (machine) endWine(machine)
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1

/** `cargo test` of the core: cargo runs here, and its test programs under Wine. */
function testCore() {
  const library = join(output('rustc', ['--print', 'sysroot']).trim(), 'lib', 'rustlib', target.triple, 'lib')
  if (attempt('ls', [library])) throw new Missing(`rustup target add ${target.triple}`)
  const args = ['test', '--quiet', '--package', 'os-ipc', '--lib', '--target', target.triple]
  const env = {
    ...zigEnvironment(),
    LIBNODE_PATH: libnode(),
    CARGO_TARGET_DIR: join(cache, 'target'),
    CARGO_TARGET_X86_64_PC_WINDOWS_GNULLVM_RUNNER: machine.wine64,
  }
  const { code, text } = perform(zig().zigbuild, args, env)
  console.log(text)
  leaveOut('cargo test', globSync('crates/os-ipc/tests/*.rs', { cwd: root }), RUST_TITLE, () => {
    return 'the processes of these tests are those of Unix'
  })
  return code === 0 ? 0 : 1
}

/** Prints each test of these files as skipped. */
function leaveOut(label, files, pattern, reason) {
  let number = 0
  for (const file of files) {
    for (const [, title] of readFileSync(join(root, file), 'utf8').matchAll(pattern)) {
      number += 1
      console.log(`ok ${number} - ${label}: ${file} › ${title} # SKIP ${reason(file)}`)
    }
  }
}

function testConformance(major) {
  const main = join(root, '__test__', 'conformance', 'main.mjs')
  const env = { OS_IPC_LIMIT: '60000' }
  const { text, problem } = onNode(major, [windowsPath(main)], env)
  return report(`windows node ${major}`, text, { problem })
}

function testAva(major) {
  const label = `windows node ${major}`
  const all = globSync('__test__/**/*.test.ts', { cwd: root })
    .map(file => file.split(sep).join('/'))
    .sort()
  const runs = file => FILES.includes(file.replace('__test__/', ''))
  const others = all.filter(file => !runs(file))
  leaveOut(label, others, TITLE, file => reasonOf(file.replace('__test__/', '')))
  const files = all.filter(runs)
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.js')
  const args = [windowsPath(ava), '--tap', '--concurrency', '2', '--timeout', '4m', ...files]
  const { code, text, problem } = onNode(major, args)
  return report(label, text, {
    problem: problem ?? (code > 1 ? `exit code ${code}` : undefined),
    cannot: leftOutTitle,
  })
}

/** Runs a program of Node for Windows. */
function onNode(major, args, env = {}) {
  const older =
    Number(major) < 24 ? `--import=file:///Z:${join(root, 'scripts/test/older-syntax.mjs')}` : undefined
  return perform(machine.wine64, [windowsNode(major), ...args], {
    CI: 'true',
    NAPI_RS_NATIVE_LIBRARY_PATH: windowsPath(target.path),
    ...(older && { NODE_OPTIONS: older }),
    ...env,
  })
}

/** Runs a program whose output goes into a file: Node for Windows cannot write into a pipe of Linux. */
function perform(command, args, env) {
  const path = join(folder, 'output')
  const file = openSync(path, 'w')
  const {
    status: code,
    signal,
    error,
  } = spawnSync(command, args, {
    cwd: root,
    env: { ...machine.env, ...env },
    stdio: ['ignore', file, file],
    timeout: LIMIT_MINUTES * 60_000,
    killSignal: 'SIGKILL',
  })
  closeSync(file)
  return { code, text: readFileSync(path, 'utf8'), problem: error?.message ?? signal ?? undefined }
}
