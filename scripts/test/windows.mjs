// `npm run test:windows [-- 22|24|26... FILE...]`: runs the tests on Windows' own Node under Wine: the Rust tests of the
// core, the conformance suite, the ava suite and the short stress runs; with files, only these files of the ava suite. What
// is left out, because it is about another platform or because Wine cannot do it, is listed by its title with the reason
// (windows-left-out.mjs), and counts as skipped.
//
// Without a version it takes Node 24. Wine, Node and the compiler's parts are fetched into the cache of scripts/cross.

import { closeSync, existsSync, globSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { basename, join, resolve, sep } from 'node:path'
import { tmpdir } from 'node:os'

import { coreReasonOf, leftOutTitle, promiseReasonOf, reasonOf } from './windows-left-out.mjs'
import { cache } from '../cross/cache.mjs'
import { endWine, NODES, windowsNode, windowsPath, wine } from '../cross/wine.mjs'
import { libnode } from '../cross/libnode.mjs'
import { Missing } from '../cross/missing.mjs'
import { report } from './conformance.mjs'
import { preparePeers } from './peers.mjs'
import { fail, output, root, status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { zig, zigEnvironment } from '../cross/zig.mjs'
import { windowsTargets } from '../cross/targets.mjs'

/** The longest run of one suite, in minutes. */
const LIMIT_MINUTES = 25
/** The factor by which a process may be slower than on Linux: starting Node under Wine takes up to a second. */
const PATIENCE = '4'
/** The titles of tests in a source. */
const TITLE = /\b(?:test|test\.serial|requires\(.*\))\(\s*['"`](.*?)['"`],/g
/** The promise in a stress run. */
const PROMISE = /promise:\s*['"`](.*?)['"`],\n/g
const RUST_TITLE = /#\[test\](?:\s*#\[.*\])*\s*fn (\w+)/g

const args = process.argv.slice(2).filter(arg => arg !== '--')
const majors = args.filter(arg => NODES[arg])
/** With files of the ava suite, only these run. */
const patterns = args.filter(arg => !NODES[arg])
const unknown = patterns.find(pattern => !pattern.endsWith('.test.ts'))
if (unknown) fail(`${unknown} is neither a .test.ts nor one of ${Object.keys(NODES).join(', ')}`, 2)

const target = windowsTargets.find(({ cpu }) => cpu === 'x64')
/** The addon under test: a built one, such as a debug build, or the release build, which is made here. */
const addon = resolve(process.env.NAPI_RS_NATIVE_LIBRARY_PATH ?? target.path)
const folder = mkdtempSync(join(tmpdir(), 'os-ipc-windows-'))
let [failed, machine] = [0, undefined]
try {
  setup({ quiet: true, profile: 'any' })
  const build = ['scripts/cross/build-all.mjs', '--rustup', '--possible', target.name]
  if (addon === target.path && status('node', build) !== 0) fail(`${target.name} does not build`)
  if (!existsSync(addon)) throw new Missing(`npm run build:all -- ${target.name}`)
  preparePeers(['windows'])
  machine = wine()
  if (patterns.length === 0) failed += timed('the core', testCore)
  for (const major of majors.length > 0 ? majors : ['24']) {
    if (patterns.length === 0) failed += timed('the conformance suite', () => testConformance(major))
    failed += timed('the ava suite', () => testAva(major))
    if (patterns.length === 0) failed += timed('the short stress runs', () => testStress(major))
  }
} catch (error) {
  if (!(error instanceof Missing)) throw error
  console.log(`ok 1 - windows # SKIP missing: ${error.message}`)
} finally {
  if (machine) endWine(machine)
  rmSync(folder, { recursive: true, force: true })
}
process.exitCode = failed === 0 ? 0 : 1

/** Runs a part, prints its time, and returns its number of failures. */
function timed(part, run) {
  const start = performance.now()
  const failures = run()
  console.log(`# ${part} under Wine took ${Math.round((performance.now() - start) / 1000)} s`)
  return failures
}

/** `cargo test` of the core: cargo runs here, and its test programs under Wine. */
function testCore() {
  const library = join(output('rustc', ['--print', 'sysroot']).trim(), 'lib', 'rustlib', target.triple, 'lib')
  if (!existsSync(library)) {
    console.log(`ok 1 - cargo test for Windows # SKIP missing: rustup target add ${target.triple}`)
    return 0
  }
  const all = globSync('crates/os-ipc/tests/*.rs', { cwd: root }).sort()
  const runs = all.filter(file => coreReasonOf(file) === undefined)
  const tests = runs.flatMap(file => ['--test', basename(file, '.rs')])
  const args = [
    'test',
    '--quiet',
    '--no-fail-fast',
    '--package',
    'os-ipc',
    '--target',
    target.triple,
    '--lib',
  ]
  const env = {
    ...zigEnvironment(),
    LIBNODE_PATH: libnode(),
    CARGO_TARGET_DIR: process.env.CARGO_TARGET_DIR ?? join(cache, 'target'),
    CARGO_TARGET_X86_64_PC_WINDOWS_GNULLVM_RUNNER: machine.wine64,
  }
  const { code, text } = perform(zig().zigbuild, [...args, ...tests], env)
  console.log(text)
  leaveOut('cargo test', all.filter(coreReasonOf), RUST_TITLE, coreReasonOf)
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
  const reason = file => reasonOf(file.replace('__test__/', ''))
  const files = patterns.length > 0 ? patterns : all.filter(file => reason(file) === undefined)
  if (patterns.length === 0) leaveOut(label, all.filter(reason), TITLE, reason)
  const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.js')
  const args = [windowsPath(ava), '--tap', '--concurrency', '3', '--timeout', '8m', ...files]
  const { code, text, problem } = onNode(major, args, { OS_IPC_PATIENCE: PATIENCE })
  return report(label, text, {
    problem: problem ?? (code > 1 ? `exit code ${code}` : undefined),
    cannot: leftOutTitle,
  })
}

/** The short form of the stress runs. */
function testStress(major) {
  const label = `windows node ${major}`
  const all = globSync('stress/promises/*.ts', { cwd: root })
    .filter(file => !file.endsWith('.child.ts'))
    .sort()
  const name = file => basename(file, '.ts')
  const reason = file => promiseReasonOf(name(file))
  leaveOut(label, all.filter(reason), PROMISE, reason)
  const only = all.filter(file => reason(file) === undefined).flatMap(file => ['--only', name(file)])
  const args = ['--disable-warning=ExperimentalWarning', 'stress/run.ts', '--short', ...only]
  const { code, text, problem } = onNode(major, args, { OS_IPC_PATIENCE: PATIENCE })
  // It prints no plan: its exit code tells of a run that ended too early.
  const made = text.split('\n').filter(line => /^(not )?ok /.test(line)).length
  const failed = report(label, `${text}\n1..${made}`, { problem })
  return failed === 0 && code !== 0 ? fell(label, problem ?? `exit code ${code}`) : failed
}

/** Prints a failure that no test is about. */
function fell(label, problem) {
  console.log(`not ok 1 - ${label}: the stress runs ended with ${problem}`)
  return 1
}

/** Runs a program of Node for Windows. */
function onNode(major, args, env = {}) {
  const older =
    Number(major) < 24 ? `--import=file:///Z:${join(root, 'scripts/test/older-syntax.mjs')}` : undefined
  return perform(machine.wine64, [windowsNode(major), ...args], {
    CI: 'true',
    NAPI_RS_NATIVE_LIBRARY_PATH: windowsPath(addon),
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
