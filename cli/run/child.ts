import { constants } from 'node:os'

import { EXIT } from '../core/exit.js'
import { note } from '../core/output.js'
import type { Word } from '../core/words.js'
import { allStreams } from './descriptors.js'
import { type Plan, planFor } from './plan.js'
import { spawnFailure } from './program.js'
import { passSignals } from './signals.js'
import { type Running, Spawner } from './spawn-watched.js'
import { environment, IGNORED_SIGNALS } from './start.js'

/** Runs a command beside this process. It is prepared before the permit is taken; on Windows with the plan of its start. */
export function prepareChild(plan?: Plan): (command: readonly Word[], lost?: AbortSignal) => Promise<number> {
  const spawner = new Spawner()
  return (command, lost) => runChild(spawner, command, plan, lost)
}

/**
 * Runs a command with the streams of this process, passes signals on to it, and returns its exit code: 128 plus the number
 * of the signal that ended it.
 *
 * When `lost` aborts, the permit or lock of the command is lost: the command gets SIGTERM.
 *
 * @throws {Failure} 126 or 127 when the command could not be started.
 */
async function runChild(
  spawner: Spawner,
  command: readonly Word[],
  made: Plan | undefined,
  lost: AbortSignal | undefined,
): Promise<number> {
  let running: Running | undefined
  // Starts before the spawn, so that a signal during the spawn is passed on after it.
  const early: NodeJS.Signals[] = []
  const passNoMore = passSignals(signal => {
    if (running === undefined) early.push(signal)
    else running.kill(signal)
  })
  const end = () => {
    const what = lost?.reason?.code === 'ERR_LOCK_LOST' ? 'lock' : 'permit'
    note(`the ${what} was lost: os-ipc sends SIGTERM to the command`)
    running?.kill('SIGTERM')
  }
  try {
    const plan = made ?? planFor(command, environment(), IGNORED_SIGNALS)
    running = await spawner.start(plan, allStreams()).catch(error => {
      throw spawnFailure(command[0] ?? '', error)
    })
    for (const signal of early) running.kill(signal)
    lost?.addEventListener('abort', end, { once: true })
    if (lost?.aborted) end()
    const { code, signal, signalNumber } = await running.end
    const number = signalNumber ?? (signal === null ? 0 : constants.signals[signal])
    return number === 0 ? (code ?? EXIT.ok) : EXIT.signal + number
  } finally {
    passNoMore()
    lost?.removeEventListener('abort', end)
  }
}
