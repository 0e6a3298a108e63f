import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

/** The factor by which anything may be later on a machine whose processors other programs use too. */
const PATIENCE = 10

/** The time that a trial may take: `limit`, or ten times that when more tasks want to run than the machine has processors. */
export function allowed(limit: number, wasBusy: boolean): number {
  return wasBusy || isBusy() ? limit * PATIENCE : limit
}

/** Whether at this moment twice as many tasks want to run as the machine has processors: proc_loadavg(5). */
export function isBusy(): boolean {
  try {
    const [, runnable] = /(\d+)\/\d+/.exec(readFileSync('/proc/loadavg', 'utf8')) ?? []
    return Number(runnable) > 2 * availableParallelism()
  } catch {
    return false
  }
}
