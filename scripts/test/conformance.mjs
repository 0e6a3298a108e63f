// Runs the conformance suite on another runtime, with the runtime's name before the title of each test.

import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

import { projectEnv, root } from '../run.mjs'

const TAP = /^(not ok|ok) (\d+) - (.*)$/
const LIMIT_MINUTES = 10

/**
 * Shows the TAP of the suite and returns the number of failed tests.
 *
 * @param label - The runtime's name in the titles.
 * @param command - The command that runs a file.
 * @param cannot - The tests that this runtime cannot pass, with the reason of each. They run too, and count as skipped only
 * when they fail.
 */
export function conform(label, command, { env = {}, cannot = {} } = {}) {
  const { stdout, signal, error } = spawnSync(
    command[0],
    [...command.slice(1), join(root, '__test__/conformance/main.mjs')],
    {
      cwd: root,
      env: { ...projectEnv, ...env, OS_IPC_RUNTIME: JSON.stringify(command) },
      stdio: ['ignore', 'pipe', 'inherit'],
      encoding: 'utf8',
      timeout: LIMIT_MINUTES * 60_000,
    },
  )
  const problem = error?.message ?? signal ?? undefined
  return report(label, stdout ?? '', { problem, cannot: title => cannot[title] })
}

/**
 * Shows the TAP of a suite and returns the number of failed tests.
 *
 * @param problem - What ended the suite, if it did not end by itself.
 * @param cannot - Returns the reason why a test need not pass.
 */
export function report(label, text, { problem, cannot = () => undefined } = {}) {
  let [failed, seen, planned] = [0, 0, undefined]
  for (const line of text.split(/\r?\n/)) {
    planned ??= /^1\.\.(\d+)$/.exec(line)?.[1]
    const [, result, number, title] = TAP.exec(line) ?? []
    if (result === undefined) {
      console.log(line)
      continue
    }
    seen += 1
    const reason = cannot(title)
    const skip = result === 'not ok' && reason !== undefined
    if (result === 'not ok' && !skip) failed += 1
    console.log(`${skip ? 'ok' : result} ${number} - ${label}: ${title}${skip ? ` # SKIP ${reason}` : ''}`)
    if (result === 'ok' && reason !== undefined) console.log(`os-ipc: ${label} can do it now: ${title}`)
  }
  if (seen !== Number(planned ?? Number.NaN)) {
    failed += 1
    console.log(`not ok 1 - ${label}: ended after ${seen} of ${planned} tests (${problem ?? 'by itself'})`)
  }
  return failed
}
