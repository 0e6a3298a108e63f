// Does everything that CI does: the binaries of all platforms, the tests, also on other Nodes, runtimes and platforms, the
// linters, the generated files, and one run of every benchmark. Ends with a line that counts the tests of all runners, and
// with exit code 1 when anything failed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { Tally } from './test/tally.mjs'
import { projectEnv, root } from './run.mjs'

const STEPS = [
  // First, because the tests use the binaries. Binaries that cannot be fetched here are skipped, and counted as skipped.
  ['npm', 'run', 'tools'],
  ['npm', 'run', 'build:all', '--', '--rustup', '--possible'],
  ['npm', 'test'],
  ['npm', 'run', 'lint'],
  ['npm', 'run', 'check:generated'],
  ['npm', 'run', 'test:runtimes', '--', 'bun', 'deno', 'electron'],
  ['npm', 'run', 'test:foreign'],
  ['npm', 'run', 'pack'],
  ['npm', 'run', 'test:installed', '--', '.cache/packages'],
  ['npm', 'run', 'bench:smoke'],
  // Last, because CI on a slow machine has no time for all of them.
  ['npm', 'run', 'test:nodes', '--', '22'],
  ['npm', 'run', 'test:nodes', '--', '26'],
  ['npm', 'run', 'test:windows', '--', '24'],
]
const LIMIT_MINUTES = 35

/** A step that would begin after so many minutes is skipped, and counted as skipped. */
const BEGIN_WITHIN = Number(process.env.OS_IPC_BEGIN_WITHIN ?? Infinity)

const tally = new Tally()
for (const step of STEPS) {
  const minutes = performance.now() / 60_000
  if (minutes > BEGIN_WITHIN) {
    skip(step, `${Math.round(minutes)} minutes have passed already`)
    continue
  }
  const code = await perform(step)
  const seconds = Math.round((performance.now() - minutes * 60_000) / 1000)
  console.log(`# ${step.join(' ')} took ${seconds} s`)
  tally.endStep(step.join(' '), code)
}
for (const problem of tally.report()) console.log(problem)
console.log(String(tally))
process.exitCode = tally.failed === 0 ? 0 : 1

/** Counts a step as skipped. */
function skip(step, reason) {
  const line = `ok 1 - ${step.join(' ')} # SKIP ${reason}: run it by hand`
  console.log(`\n${line}`)
  tally.add(`${line}\n`)
}

/** Runs a step, shows and counts its output, and returns its exit code. */
async function perform([command, ...args]) {
  console.log(`\n$ ${[command, ...args].join(' ')}`)
  const child = spawn(command, args, {
    cwd: root,
    env: { ...projectEnv, CI: 'true' },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const alarm = setTimeout(() => {
    console.log(`ended after ${LIMIT_MINUTES} minutes`)
    process.kill(-child.pid, 'SIGKILL')
  }, LIMIT_MINUTES * 60_000)
  for (const name of ['stdout', 'stderr']) {
    child[name].setEncoding('utf8').on('data', text => {
      process.stdout.write(text)
      tally.add(text, name)
    })
  }
  const [code] = await once(child, 'close')
  clearTimeout(alarm)
  return code ?? 1
}
