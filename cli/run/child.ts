import { spawn } from 'node:child_process'
import { constants } from 'node:os'

import { EXIT } from '../core/exit.js'
import { note } from '../core/output.js'
import { allStreams } from './descriptors.js'
import { spawnFailure } from './program.js'
import { passSignals } from './signals.js'

/**
 * Runs a command with our own streams, passes signals on to it, and answers its exit code: 128 and the number
 * of the signal that ended it.
 *
 * When `lost` aborts, what the command ran under is gone: it is told to end.
 *
 * @throws {Failure} 126 or 127 when it could not be started.
 */
export function runChild(command: readonly string[], lost?: AbortSignal): Promise<number> {
  const [program = '', ...args] = command
  return new Promise((resolve, reject) => {
    // Before the spawn: a signal that comes meanwhile is heard after it.
    const passNoMore = passSignals(signal => void child.kill(signal))
    const child = spawn(program, args, { stdio: allStreams() })
    const end = () => {
      const what = lost?.reason?.code === 'ERR_LOCK_LOST' ? 'lock' : 'permit'
      note(`the ${what} was lost: the command is told to end (SIGTERM)`)
      child.kill('SIGTERM')
    }
    lost?.addEventListener('abort', end, { once: true })
    if (lost?.aborted) end()
    const settle = () => {
      passNoMore()
      lost?.removeEventListener('abort', end)
    }
    child.once('error', error => {
      // A signal that could not be sent is one of these too; only before it has a pid it is the end.
      if (child.pid !== undefined) return
      settle()
      reject(spawnFailure(program, error))
    })
    child.once('exit', (code, signal) => {
      settle()
      resolve(code ?? EXIT.signal + (signal === null ? 0 : constants.signals[signal]))
    })
  })
}
