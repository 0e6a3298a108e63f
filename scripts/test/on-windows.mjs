// `npm run test:win32`: runs the tests on this Windows: the Rust tests of the core where cargo is there, the conformance suite and
// the ava suite. It takes the JavaScript and the binary that another machine built (npm/win32-*), as CI does, because npm's
// programs are batch files here. What is left out is that of `npm run test:windows`, the same under Wine.

import { existsSync, globSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join, sep } from 'node:path'

import { report } from './conformance.mjs'
import { fail, output, root, run, status } from '../run.mjs'
import { leftOutTitle, reasonOf } from './windows-left-out.mjs'
import { windowsTargets } from '../cross/targets.mjs'

/** The longest run of one suite, in minutes. */
const LIMIT_MINUTES = 30

if (process.platform !== 'win32') fail('this is not Windows: npm run test:windows', 2)
const target = windowsTargets.find(({ cpu }) => cpu === process.arch)
if (target === undefined) fail(`there is no binary for ${process.arch}`)
const ava = join(root, 'node_modules', 'ava', 'entrypoints', 'cli.js')
if (!existsSync(ava)) run('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'])
for (const built of [target.path, join(root, 'index.cjs'), join(root, 'cli', 'command.cjs')]) {
  if (!existsSync(built))
    fail(`${built} is not there: build it on Linux (npm run build:all -- ${target.name}; npm run build:ts)`)
}

let failed = 0
if (output('cargo', ['--version']) !== undefined) {
  failed += status('cargo', ['test', '--quiet', '--package', 'os-ipc', '--lib'])
}
const label = `${target.name} node ${process.versions.node}`
failed += suite([join(root, '__test__', 'conformance', 'main.mjs')])
failed += suite([ava, '--tap', '--concurrency', '2', '--timeout', '4m', ...files()], leftOutTitle)
process.exitCode = failed === 0 ? 0 : 1

/** The files of the ava suite that run here; the others are printed as skipped. */
function files() {
  const all = globSync('__test__/**/*.test.ts', { cwd: root }).map(file => file.split(sep).join('/'))
  const short = file => file.replace('__test__/', '')
  const skipped = all.filter(file => reasonOf(short(file)) !== undefined)
  for (const [at, file] of skipped.entries()) {
    console.log(`ok ${at + 1} - ${label}: ${file} # SKIP ${reasonOf(short(file))}`)
  }
  return all.filter(file => !skipped.includes(file)).sort()
}

/** Runs a suite that prints TAP, and returns the number of failed tests. */
function suite(args, cannot) {
  const older = Number(process.versions.node.split('.')[0]) < 24
  const preload = new URL('older-syntax.mjs', import.meta.url).href
  const { stdout, signal, error } = spawnSync(process.execPath, args, {
    cwd: root,
    env: {
      ...process.env,
      CI: 'true',
      NAPI_RS_NATIVE_LIBRARY_PATH: target.path,
      ...(older && { NODE_OPTIONS: `--import=${preload}` }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: LIMIT_MINUTES * 60_000,
    killSignal: 'SIGKILL',
  })
  return report(label, stdout ?? '', { problem: error?.message ?? signal ?? undefined, cannot })
}
