import { fileURLToPath } from 'node:url'

import { Program } from '../program.ts'
import type { Promised } from '../promise.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const promised: Promised = {
  promise: 'any sequence of calls in 1 to 3 processes behaves as a number and a queue, on both backends',
  trials: { long: 1_000, short: 10 },
  limit: 900,
  async run(trial) {
    const ava = `${ROOT}node_modules/ava/entrypoints/cli.js`
    const tests = new Program([process.execPath, ava, '--tap', '__test__/semaphore/model.test.ts'], {
      env: { OS_IPC_MODEL_RUNS: String(trial.count) },
    })
    trial.teardown(() => tests.kill())
    let passed = 0
    for (let line = await tests.next(); line !== undefined; line = await tests.next()) {
      if (/^ok /.test(String(line))) passed += 1
      if (/^not ok /.test(String(line))) trial.lost(String(line))
    }
    const { code } = await tests.exit
    if (code !== 0) trial.lost(`ava ended with ${code}`)
    trial.made(trial.count * 2)
    return `${trial.count} sequences of 5 to 40 calls for each backend, and ${passed - 2} parsers`
  },
}
export default promised
