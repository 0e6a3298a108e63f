import { setTimeout as sleep } from 'node:timers/promises'

import type { SharedMemory } from '../../index.js'
import { uniqueName } from '../../__test__/shared/names.ts'
import { PostgresServer, postgresServer } from '../../__test__/shared/postgres.ts'
import { allTurns, makeTurns, most } from '../../__test__/shared/turns.ts'
import { random } from '../figures.ts'
import { child, type Program } from '../program.ts'
import type { Promised, Trial } from '../promise.ts'

const PROCESSES = 8
const DEAD_AFTER = 3_000
const HANGS = 60_000

const promised: Promised = {
  promise:
    'of the processes with an exclusive lock on PostgreSQL at most one has a signal that has not aborted, also with kills and stops',
  trials: { long: 1_000, short: 16 },
  needs: postgresServer,
  limit: 1_800,
  async run(trial) {
    const server = await PostgresServer.start(trial)
    const name = uniqueName(trial)
    const memoryName = uniqueName(trial)
    const memory = makeTurns(memoryName)
    const start = (slot: number) => {
      return child(trial, 'killed-postgres', {
        args: [server.url, name, DEAD_AFTER, memoryName, slot],
        quiet: true,
      })
    }
    const workers = Array.from({ length: PROCESSES }, (_, slot) => start(slot))
    const counts = { killed: 0, ended: 0, stopped: 0, restarts: 0 }
    for (let made = 0; made < trial.count; made += 1) {
      const slot = made % PROCESSES
      const worker = workers[slot] as Program
      await started(trial, worker)
      await sleep(random(30))
      if (made % 10 === 3) {
        await server.terminateSessions(made % 20 === 3)
        counts.ended += 1
      }
      if (made % 50 === 7) {
        const [other] = workers.filter(one => one !== worker)
        if (other !== undefined) {
          process.kill(other.pid, 'SIGSTOP')
          await sleep(random(2) === 0 ? DEAD_AFTER * 1.1 : 200)
          process.kill(other.pid, 'SIGCONT')
          counts.stopped += 1
        }
      }
      if (made % 100 === 11) {
        await server.kill(made % 200 === 11 ? 'SIGKILL' : 'SIGINT')
        await server.start()
        counts.restarts += 1
      }
      worker.kill()
      await worker.exit
      counts.killed += 1
      workers[slot] = start(slot)
      trial.made()
    }
    await goesOn(trial, memory)
    for (const worker of workers) {
      worker.kill()
      await worker.exit
    }
    const turns = allTurns(memory)
    const inside = most(turns)
    memory.unlink()
    memory.close()
    if (inside > 1) trial.lost(`${inside} at the same time`)
    const { killed, ended, stopped, restarts } = counts
    return `${turns.length} turns of ${PROCESSES} processes; ${killed} killed, ${stopped} stopped, sessions ended ${ended} times, ${restarts} restarts of the server; at most ${inside} at a time`
  },
}
export default promised

async function started(trial: Trial, worker: Program): Promise<void> {
  const said = await worker.next()
  if (said !== 'working') trial.lost(`${said ?? 'a process did not start'}`)
}

/** Checks that the lock is still granted afterwards. */
async function goesOn(trial: Trial, memory: SharedMemory): Promise<void> {
  const before = allTurns(memory).length
  const deadline = performance.now() + HANGS
  while (allTurns(memory).length < before + 3) {
    if (performance.now() > deadline) return trial.lost(`no turn within ${HANGS} ms`)
    await sleep(20)
  }
}
