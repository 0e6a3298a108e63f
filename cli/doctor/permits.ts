import type { Library } from '../core/command.js'
import { count, span } from '../core/format.js'
import { everythingKnown, type Item, labelOf } from '../core/items.js'
import { describePid, stateOf } from '../core/processes.js'
import { type Finding, finding } from './finding.js'

/** The time after which doctor reports a held permit. */
const LONG_HELD = 3_600_000

/** Permits that may be held by mistake, each with the command that gives them back. */
export function checkPermits(ipc: Library): Finding[] {
  return everythingKnown(ipc)
    .filter(({ type }) => type === 'limit')
    .flatMap(limit => [...stopped(limit), ...longHeld(limit)])
}

/** A stopped process holds its permits until it continues or ends. */
function stopped(limit: Item): Finding[] {
  return (limit.holders ?? []).flatMap(({ pid, permits }) => {
    const state = stateOf(pid)
    if (state !== 'T' && state !== 't') return []
    const text = `${describePid(pid)} is stopped${state === 't' ? ' by a debugger' : ''}, and holds ${count(permits, 'permit')} of the limit ${labelOf(limit)}`
    const goOn = state === 't' ? `the debugger of ${pid} continues it` : `kill -CONT ${pid} continues it`
    return [finding('note', 'permits', text, goOn, ending(pid))]
  })
}

/**
 * The kernel does not tell since when a process holds a permit, but when the last permit of the limit was taken or given back.
 * A permit that is held now has been held since then at least.
 */
function longHeld(limit: Item): Finding[] {
  const { operatedAt, holders } = limit
  const idle = operatedAt === null ? 0 : Date.now() - Date.parse(operatedAt)
  if (idle < LONG_HELD) return []
  return (holders ?? []).map(({ pid, permits }) =>
    finding(
      'note',
      'permits',
      `${describePid(pid)} has held ${count(permits, 'permit')} of the limit ${labelOf(limit)} for at least ${span(idle)}: none was taken or given back since`,
      ending(pid),
    ),
  )
}

function ending(pid: number): string {
  return `if it hangs: kill -KILL ${pid} ends it, and the kernel gives its permits back`
}
