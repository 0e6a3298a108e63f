import type { LockMode } from '../../index.js'
import type { Library } from '../core/command.js'
import type { HeldPermit, PermitSource } from './permits.js'

/** The longest timer of Node. */
const LONGEST_TIMER = 2 ** 31 - 1

/** A lock that can be held: splits `locks.request` with its callback into two steps. */
export function lockSource(
  { capabilities, IpcError, locks }: Library,
  name: string,
  mode: LockMode,
): PermitSource {
  const overdue = () => new IpcError('ETIMEDOUT', `the lock '${name}' was not free in time`)
  return {
    // A lock that is a file is closed by exec.
    outlivesExec: capabilities.locks === 'sysv',
    acquire({ timeout }) {
      const patience = new AbortController()
      const deadline = performance.now() + (timeout ?? 0)
      let alarm: NodeJS.Timeout | undefined
      const setAlarm = () => {
        alarm = setTimeout(
          () => {
            if (performance.now() < deadline) setAlarm()
            else patience.abort(overdue())
          },
          Math.min(deadline - performance.now(), LONGEST_TIMER),
        )
      }
      if (timeout !== undefined && timeout > 0) setAlarm()
      // A request that does not wait has no signal, as the specification requires.
      const options = timeout === 0 ? { mode, ifAvailable: true } : { mode, signal: patience.signal }
      return new Promise<HeldPermit>((resolve, reject) => {
        const ended = locks.request(name, options, lock => {
          clearTimeout(alarm)
          if (lock === null) throw overdue()
          return new Promise<void>(release => {
            resolve({
              release: async () => {
                release()
                await ended
              },
            })
          })
        })
        ended.catch(error => {
          clearTimeout(alarm)
          reject(error)
        })
      })
    },
    close() {},
  }
}

/**
 * Removes the lock sets of earlier commands: a command that os-ipc became does not know its lock; the kernel frees
 * it, but keeps its set.
 */
export async function tidyLocks(): Promise<void> {
  const { native } = await import('../../lib/addon/native.js')
  // A failure only leaves the sets in place.
  native.tidyLocks()
}
