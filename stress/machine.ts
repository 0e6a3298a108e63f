import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** How much later anything may be on a machine whose processors others want too. */
const PATIENCE = 10

/** How long a trial may take: `limit`, but ten times that where more tasks want to run than there are processors for. */
export function allowed(limit: number, wasBusy: boolean): number {
  return wasBusy || isBusy() ? limit * PATIENCE : limit
}

/** Whether at this moment twice as many tasks want to run as can: proc_loadavg(5). */
export function isBusy(): boolean {
  try {
    const [, runnable] = /(\d+)\/\d+/.exec(readFileSync('/proc/loadavg', 'utf8')) ?? []
    return Number(runnable) > 2 * availableParallelism()
  } catch {
    return false
  }
}
