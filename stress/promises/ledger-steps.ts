import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import { all, linux, probe } from '../../__test__/shared/needs.ts'
import type { Promised } from '../promise.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
/** The line of one operation: `release to a waiter: 97 kills at 12 changes and 85 of 85 calls; served within 3.1ms` */
const LINE = /(\d+) kills at (\d+) changes and (\d+) of \d+ calls; served within (\S+)$/
const FAILED = /^test (\S+) \.\.\. FAILED$|^---- (\S+) stdout ----$/

const promised: Promised = {
  promise:
    'a process is killed at every change of the shared memory, and before every system call, of every operation of a ledger: exactly the permits are there afterwards, and the waiters are served within 500 ms',
  // `cargo test` makes the short form: crates/os-ipc/tests/ledger_steps.
  trials: { long: 2_100, short: 0 },
  limit: 1_800,
  needs: all(
    linux,
    probe('needs a processor whose single steps the test knows: x64', () => process.arch === 'x64'),
  ),
  async run(trial) {
    const argv = ['test', '--quiet', '-p', 'os-ipc', '--test', 'ledger_steps', '--', '--nocapture']
    const env = { ...process.env, OS_IPC_STEPS: 'whole' }
    const cargo = spawn('cargo', argv, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
    trial.teardown(() => cargo.kill())
    const ended = new Promise(resolve => cargo.once('close', resolve))
    const sum = { operations: 0, changes: 0, calls: 0 }
    for await (const line of createInterface({ input: cargo.stdout })) {
      const [, kills, changes, calls] = LINE.exec(line) ?? []
      const [, failed, shown] = FAILED.exec(line) ?? []
      if (failed !== undefined || shown !== undefined) trial.lost(`${failed ?? shown}`)
      if (kills === undefined) continue
      trial.made(Number(kills))
      sum.operations += 1
      sum.changes += Number(changes)
      sum.calls += Number(calls)
    }
    const code = await ended
    if (code !== 0) trial.lost(`cargo ended with ${code}`)
    if (sum.operations === 0) trial.lost('no operation was tried: ptrace(2) is refused')
    return `${sum.operations} operations: killed at ${sum.changes} changes and before ${sum.calls} calls`
  },
}
export default promised
