import { DEBUG_ADDON } from '../../scripts/test/stress-builds.mjs'
import { engines } from '../../__test__/shared/engines.ts'
import { child } from '../program.ts'
import type { Promised } from '../promise.ts'

/** The builds. The debug build contains the assertions of Rust and of napi-rs. On Windows there is one build. */
const BUILDS: Record<string, Record<string, string | undefined>> = process.platform === 'win32'
  ? { release: {} }
  : {
      release: { NAPI_RS_NATIVE_LIBRARY_PATH: undefined },
      debug: { NAPI_RS_NATIVE_LIBRARY_PATH: DEBUG_ADDON },
    }

const promised: Promised = {
  promise:
    'workers are terminated at random moments while permits are added: no permit is lost, and the process does not crash (every engine)',
  trials: { long: 500, short: 20 },
  async run(trial) {
    const figures: string[] = []
    const builds = Object.entries(BUILDS)
    for (const [built, env, engine] of builds.flatMap(build =>
      engines.map(each => [...build, each] as const),
    )) {
      const build = `${built}, ${engine}`
      const count = Math.ceil(trial.count / builds.length / engines.length)
      const run = child(trial, 'terminated-workers', {
        args: [count, engine],
        env,
      })
      let report: unknown
      for (let line = await run.next(); line !== undefined; line = await run.next()) {
        if (line === 'made') trial.made()
        else if (typeof line === 'string') trial.lost(`${build}: ${line}`)
        else report = line
      }
      const { code, signal } = await run.exit
      if (code !== 0) trial.lost(`the ${build} build ended with ${signal ?? `exit code ${code}`}`)
      const { added, free } = (report ?? {}) as { added?: number; free?: number }
      const found = `${build}: ${added} permits, ${free} free at the end`
      if (added === undefined || added !== free) trial.lost(found)
      figures.push(found)
    }
    return figures.join('; ')
  },
}
export default promised
