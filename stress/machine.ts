import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

import { largest, median, ms } from './figures.ts'

/** The factor by which anything may be later on a machine whose processors other programs use too. */
const PATIENCE = 10

/** The factor by which this machine is slow in all it does, such as Wine. */
const SLOW = Number(process.env.OS_IPC_PATIENCE ?? 1)

/** The time that a trial may take: `limit`, or ten times that when more tasks want to run than the machine has processors. */
export function allowed(limit: number, wasBusy: boolean): number {
  return limit * SLOW * (wasBusy || isBusy() ? PATIENCE : 1)
}

/**
 * Says which of these times is too long: their median, which a pause of the machine does not change, or one of them that is
 * over ten times the limit. `undefined` when none is, or when the machine is busy and the median too is within ten times.
 */
export function tooLong(times: readonly number[], limit: number): string | undefined {
  const [middle, last] = [median(times), largest(times)]
  if (middle > allowed(limit, false)) return `${ms(middle)} (median)`
  return last > limit * SLOW * PATIENCE ? `${ms(last)} (latest)` : undefined
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
