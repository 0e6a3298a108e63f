import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const KINDS = process.platform === 'win32' ? ['windows'] : ['posix', 'sysv']

const promised: Promised = {
  promise:
    'memory is mapped, viewed and detached during `fs.write` and garbage collection: the process does not crash, and its mappings and RSS go back',
  trials: { long: 3_000, short: 200 },
  async run(trial) {
    const figures: string[] = []
    for (const kind of KINDS) {
      // The trial runs in a separate process because it looks for a crash.
      const run = child(trial, 'detached-memory', { args: [kind, Math.ceil(trial.count / KINDS.length)] })
      let report: { mappings: number; descriptors: number; rss: number } | undefined
      for (let line = await run.next(); line !== undefined; line = await run.next()) {
        if (line === 'made') trial.made(10)
        else if (typeof line === 'string') trial.lost(`${kind}: ${line}`)
        else report = line as typeof report
      }
      const { code, signal } = await run.exit
      if (code !== 0) trial.lost(`${kind}: ended with ${signal ?? `exit code ${code}`}`)
      if (report === undefined) {
        trial.lost(`${kind}: it did not say what is left`)
        continue
      }
      if (report.mappings !== 0) trial.lost(`${kind}: ${report.mappings} mappings are left`)
      if (report.descriptors > 0) trial.lost(`${kind}: ${report.descriptors} descriptors are left`)
      if (report.rss > 32) trial.lost(`${kind}: RSS grew by ${report.rss} MB`)
      figures.push(
        `${kind}: ${report.mappings} mappings and ${report.descriptors} descriptors left, RSS ${report.rss} MB more`,
      )
    }
    return figures.join('; ')
  },
}
export default promised
