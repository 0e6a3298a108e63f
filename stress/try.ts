// Tries one promise in a separate process: `node stress/try.ts NAME [--short]`. Lines of JSON: progress, then the outcome.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Outcome, Promised } from './promise.ts'

const EVERY = 5_000
/** The package keeps its threads for 1 s after use. */
const QUIET_AFTER = 5_000
/** The inboxes that a process keeps open: its own has 2 descriptors, and it writes to at most 32. */
const INBOXES = 34

const [name = '', ...flags] = process.argv.slice(2)
const short = flags.includes('--short')
const promised: Promised = (await import(`./promises/${name}.ts`)).default

const say = (line: object): void => void process.stdout.write(`${JSON.stringify(line)}\n`)
const teardowns: (() => unknown)[] = []
const lost: string[] = []
let made = 0
/** A quarter of the short run on Windows, where it runs under Wine and a process takes a second to start. */
const brief = process.platform === 'win32' ? Math.ceil(promised.trials.short / 4) : promised.trials.short
const count = short ? brief : promised.trials.long

// Makes Node create what it keeps after the first use: libuv's pool, and its pipe for the end of a child.
await once(spawn(process.execPath, ['--version']), 'close')
await Promise.all(Array.from({ length: 16 }, () => readFile(import.meta.filename)))
await promised.prepare?.()
const before = held()
const start = performance.now()
const progress = setInterval(() => say({ progress: { made, count, lost: lost.length } }), EVERY).unref()

let figures = ''
const skipped = promised.needs?.missing
if (skipped === undefined) {
  try {
    figures = await promised.run({
      long: !short,
      count,
      made: (trials = 1) => {
        made += trials
      },
      lost: what => void lost.push(what),
      teardown: undo => void teardowns.push(undo),
    })
  } catch (error) {
    lost.push(error instanceof Error ? (error.stack ?? error.message) : String(error))
  }
  for (const undo of teardowns.reverse()) await undo()
  const leaked = await leaks()
  if (leaked !== undefined) lost.push(leaked)
}
clearInterval(progress)
const seconds = (performance.now() - start) / 1000
const outcome: Outcome = { name, promise: promised.promise, trials: made, lost, figures, seconds, skipped }
say({ outcome })
process.exitCode = lost.length === 0 ? 0 : 1

/** Descriptors and threads of this process; its inboxes count from the first that is too many. */
function held(): { descriptors: number; threads: number; targets: string[] } {
  if (process.platform !== 'linux') return { descriptors: 0, threads: 0, targets: [] }
  const targets = readdirSync('/proc/self/fd').map(targetOf)
  const inboxes = targets.filter(target => target.includes('/os-ipc.wake.')).length
  return {
    descriptors: targets.length - Math.min(inboxes, INBOXES),
    threads: readdirSync('/proc/self/task').length,
    targets,
  }
}

function targetOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    return '' // the descriptor of the folder itself
  }
}

/** The descriptors and threads that this process still holds in addition, after all of them had time to end. */
async function leaks(): Promise<string | undefined> {
  const until = performance.now() + QUIET_AFTER
  for (;;) {
    const now = held()
    if (now.descriptors <= before.descriptors && now.threads <= before.threads) return undefined
    if (performance.now() > until) {
      const fresh = now.targets.filter(target => !before.targets.includes(target))
      const more = [now.descriptors - before.descriptors, now.threads - before.threads]
      return `left over: ${more[0]} descriptors and ${more[1]} threads more; new are ${fresh.join(', ')}`
    }
    await sleep(100)
  }
}
