import { DEBUG_ADDON } from '../../scripts/test/stress-builds.mjs'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

const promised: Promised = {
  promise: 'workers that are terminated at random moments against posts lose nothing and crash nothing',
  trials: { long: 500, short: 20 },
  async run(trial) {
    const figures: string[] = []
    // The debug build has the assertions of Rust and of napi-rs in it.
    for (const [build, path] of Object.entries({ release: undefined, debug: DEBUG_ADDON })) {
      const count = Math.ceil(trial.count / 2)
      const run = child(trial, 'terminated-workers', {
        args: [count],
        env: { NAPI_RS_NATIVE_LIBRARY_PATH: path },
      })
      let report: unknown
      for (let line = await run.next(); line !== undefined; line = await run.next()) {
        if (line === 'made') trial.made()
        else if (typeof line === 'string') trial.lost(`${build}: ${line}`)
        else report = line
      }
      const { code, signal } = await run.exit
      if (code !== 0) trial.lost(`the ${build} build ended with ${signal ?? `exit code ${code}`}`)
      const { posts, units } = (report ?? {}) as { posts?: number; units?: number }
      if (posts === undefined || posts !== units) trial.lost(`${build}: ${posts} posts, ${units} units`)
      figures.push(`${build}: ${posts} posts, ${units} units`)
    }
    return figures.join('; ')
  },
}
export default promised
