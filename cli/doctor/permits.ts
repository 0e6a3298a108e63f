import type { Library } from '../core/command.js'
import { count, span } from '../core/format.js'
import { everythingKnown, type Item, labelOf } from '../core/items.js'
import { describePid, stateOf } from '../core/processes.js'
import { type Finding, finding } from './finding.js'

/** The time after which doctor reports a held permit. */
const LONG_HELD = 3_600_000

/** Permits that may be held by mistake, each with the command that gives them back. */
export function checkPermits(ipc: Library): Finding[] {
  const limits = everythingKnown(ipc).filter(({ type }) => type === 'limit')
  const pids = stoppedByName(ipc, limits)
  return limits.flatMap(limit => [
    ...stoppedHolders(limit),
    ...stoppedOthers(limit, pids.get(limit.name ?? '') ?? []),
    ...longHeld(limit),
  ])
}

/** The stopped processes of each ledger, by its name: also those that wait, or change the ledger. */
function stoppedByName(ipc: Library, limits: readonly Item[]): Map<string, readonly number[]> {
  if (!limits.some(({ system }) => system === 'ledger')) return new Map()
  return new Map(ipc.list().limits.map(({ name, stopped }) => [name ?? '', stopped ?? []]))
}

/** A stopped process holds its permits until it continues or ends. */
function stoppedHolders(limit: Item): Finding[] {
  return (limit.holders ?? []).flatMap(({ pid, permits }) =>
    stopped(limit, pid, `holds ${count(permits, 'permit')} of the limit ${labelOf(limit)}`),
  )
}

/** Other processes pass a stopped waiter. A process that stops while it changes a ledger holds up all users. */
function stoppedOthers(limit: Item, pids: readonly number[]): Finding[] {
  const others = pids.filter(pid => !limit.holders?.some(holder => holder.pid === pid))
  return others.flatMap(pid => stopped(limit, pid, `waits for the limit ${labelOf(limit)}, or changes it`))
}

function stopped(limit: Item, pid: number, what: string): Finding[] {
  const state = stateOf(pid)
  if (state !== 'T' && state !== 't') return []
  const text = `${describePid(pid)} is stopped${state === 't' ? ' by a debugger' : ''}, and ${what}`
  const goOn = state === 't' ? `the debugger of ${pid} continues it` : `kill -CONT ${pid} continues it`
  return [finding('note', 'permits', text, goOn, ending(limit, pid))]
}

/**
 * Nothing tells since when a process holds a permit. A set has the time at which the last permit was taken or given back, a
 * ledger the time at which the last one was taken. A permit that is held now has been held since then at least.
 */
function longHeld(limit: Item): Finding[] {
  const { operatedAt, holders, system } = limit
  const idle = operatedAt === null ? 0 : Date.now() - Date.parse(operatedAt)
  if (idle < LONG_HELD) return []
  const since = system === 'ledger' ? 'none was taken since' : 'none was taken or given back since'
  return (holders ?? []).map(({ pid, permits }) =>
    finding(
      'note',
      'permits',
      `${describePid(pid)} has held ${count(permits, 'permit')} of the limit ${labelOf(limit)} for at least ${span(idle)}: ${since}`,
      ending(limit, pid),
    ),
  )
}

function ending({ system }: Item, pid: number): string {
  const back = system === 'ledger' ? 'its permits come back' : 'the kernel gives its permits back'
  const kill = process.platform === 'win32' ? `taskkill /F /PID ${pid}` : `kill -KILL ${pid}`
  return `if it hangs: ${kill} ends it, and ${back}`
}
