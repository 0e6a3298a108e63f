// Everything that CI does: the tests, the linters, the generated files. Ends with a line that counts what the runners
// said, and with exit code 1 when anything failed.

import { spawn } from 'node:child_process'
import { once } from 'node:events'

import { Tally } from './tally.mjs'
import { projectEnv, root } from './run.mjs'

const STEPS = [
  ['npm', 'test'],
  ['npm', 'run', 'lint'],
  ['npm', 'run', 'check:generated'],
]
const LIMIT_MINUTES = 40

const tally = new Tally()
for (const step of STEPS) {
  const code = await perform(step)
  tally.endStep(step.join(' '), code)
}
for (const problem of tally.problems) console.log(`failed: ${problem}`)
console.log(String(tally))
process.exitCode = tally.failed === 0 ? 0 : 1

/** Runs a step, shows and counts its output, and answers its exit code. */
async function perform([command, ...args]) {
  console.log(`\n$ ${[command, ...args].join(' ')}`)
  const child = spawn(command, args, {
    cwd: root,
    env: { ...projectEnv, CI: 'true' },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const alarm = setTimeout(() => {
    console.log(`ended after ${LIMIT_MINUTES} minutes`)
    process.kill(-child.pid, 'SIGKILL')
  }, LIMIT_MINUTES * 60_000)
  child.stdout.setEncoding('utf8').on('data', text => {
    process.stdout.write(text)
    tally.add(text)
  })
  const [code] = await once(child, 'close')
  clearTimeout(alarm)
  return code ?? 1
}
