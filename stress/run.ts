// Tries every promise, prints a table of figures, and ends with exit code 1 when anything was lost. `--write` renews
// the table in docs/reliability.md. Started by scripts/stress.mjs.

import { spawn, spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { optionsOf } from '../scripts/options.mjs'
import { leftovers, snapshot, sweepInboxes } from '../scripts/test/leftovers.mjs'
import type { Outcome, Promised } from './promise.ts'
import { summary, writeDocs } from './report.ts'

const { values: options } = optionsOf(
  'usage: npm run stress -- [--short] [--only PROMISE]... [--write]',
  () =>
    parseArgs({
      options: {
        short: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true, default: [] },
        write: { type: 'boolean', default: false },
      },
    }),
)
const PROMISES = new URL('promises/', import.meta.url)
/** Prints TAP for a program that counts the tests. */
const tap = process.env['CI'] !== undefined

process.exitCode = await runAll()

async function runAll(): Promise<number> {
  const files = readdirSync(PROMISES).filter(file => file.endsWith('.ts') && !file.endsWith('.child.ts'))
  const names = files.map(file => file.slice(0, -'.ts'.length)).sort()
  const unknown = options.only.filter(name => !names.includes(name))
  if (unknown.length > 0) {
    console.error(`there is no promise ${unknown.join(', ')}; there are ${names.join(', ')}`)
    return 2
  }
  const all = new Map<string, Promised>()
  for (const name of names) all.set(name, (await import(new URL(`${name}.ts`, PROMISES).href)).default)
  const partial = options.only.length > 0
  const outcomes: Outcome[] = []
  for (const [name, promised] of all) {
    if (partial && !options.only.includes(name)) continue
    const outcome = await tryOne(name, promised)
    outcomes.push(outcome)
    report(outcome, outcomes.length)
  }
  console.log(`\n${summary(outcomes)}`)
  const promises = [...all.values()].map(({ promise }) => promise)
  if (options.write) writeDocs({ outcomes, promises, short: options.short, partial })
  return outcomes.every(outcome => outcome.lost.length === 0) ? 0 : 1
}

async function tryOne(name: string, promised: Promised): Promise<Outcome> {
  if (options.short && promised.trials.short === 0) {
    const skipped = 'it has no short form'
    return { name, promise: promised.promise, trials: 0, lost: [], figures: '', seconds: 0, skipped }
  }
  const before = snapshot()
  const outcome = await inItsProcess(name, promised)
  // What is left of killed children goes when the next process waits.
  sweepInboxes()
  const left = leftovers(before).map((object: string) => `left behind: ${object}`)
  return { ...outcome, lost: [...outcome.lost, ...left] }
}

async function inItsProcess(name: string, promised: Promised): Promise<Outcome> {
  const file = fileURLToPath(new URL('try.ts', import.meta.url))
  // A separate process group, so that the process can be ended together with its children.
  const child = spawn(process.execPath, ['--expose-gc', file, name, ...(options.short ? ['--short'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  const limit = promised.limit ?? 300
  let hung = false
  const alarm = setTimeout(() => {
    hung = true
    end(child.pid)
  }, limit * 1000)
  const ended = new Promise<string>(resolve =>
    child.once('exit', (code, signal) => resolve(signal ?? `${code}`)),
  )
  let outcome: Outcome | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line)
    if (message.progress) {
      const { made, count, lost } = message.progress
      console.log(`${tap ? '# ' : ''}${name}: ${made} of ${count} trials, ${lost} lost`)
    }
    outcome ??= message.outcome
  }
  const how = await ended
  clearTimeout(alarm)
  end(child.pid)
  if (outcome !== undefined) return outcome
  const what = hung ? `hung: it had not ended after ${limit} s` : `crashed: ${how}`
  return { name, promise: promised.promise, trials: 0, lost: [what], figures: '', seconds: limit }
}

function end(group: number | undefined): void {
  if (group === undefined) return
  if (process.platform === 'win32') {
    spawnSync('taskkill', ['/T', '/F', '/PID', String(group)])
    return
  }
  try {
    process.kill(-group, 'SIGKILL')
  } catch {
    // The whole group has ended.
  }
}

function report({ name, promise, trials, lost, figures, seconds, skipped }: Outcome, number: number): void {
  const counted = skipped ?? `${trials} trials, ${lost.length} lost; ${figures} (${seconds.toFixed(1)} s)`
  if (tap) {
    const skip = skipped === undefined ? '' : ` # SKIP ${skipped}`
    console.log(`${lost.length === 0 ? 'ok' : 'not ok'} ${number} - stress: ${promise}${skip}`)
    console.log(`# ${name}: ${counted}`)
  } else {
    console.log(`${skipped === undefined ? (lost.length === 0 ? '✔' : '✘') : '-'} ${name}: ${counted}`)
  }
  for (const what of lost.slice(0, 10)) console.log(`${tap ? '# ' : '  '}${what.replaceAll('\n', '\n# ')}`)
}
