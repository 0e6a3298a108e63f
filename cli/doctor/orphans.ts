import type { Library } from '../core/command.js'
import { hexKey, size, span } from '../core/format.js'
import { everything, type Item, labelOf, madeAt, usedAt } from '../core/items.js'
import { escapedBytes, isPrintable, printable } from '../core/text.js'
import { mappedByOthers } from '../core/use.js'
import { type Finding, finding } from './finding.js'

/** What is younger may be between its creator and its first user. */
const YOUNG = 60_000

/** A semaphore or a limit that nobody has used for so long is worth a word. */
const LONG_UNUSED = 7 * 86_400_000

/** Objects that nobody seems to have any more, each with the command that removes it. */
export function checkOrphans(ipc: Library): Finding[] {
  if (!ipc.capabilities.list || !canList(ipc)) return []
  const all = everything(ipc)
  const items = all.filter(item => !item.removed && ageOf(item) > YOUNG)
  const segments = items
    .filter(item => item.type === 'memory' && item.system === 'sysv')
    .flatMap(orphanedSegment)
  const files = items.filter(({ type, system }) => type !== 'lock' && system === 'posix').flatMap(unmapped)
  const sets = items
    .filter(({ type, system }) => type === 'limit' || (type === 'semaphore' && system === 'sysv'))
    .flatMap(unused)
  const locks = all.filter(({ type }) => type === 'lock').flatMap(leftLock)
  const findings = [...segments, ...files, ...sets, ...locks]
  return findings.length > 0 ? findings : [finding('ok', 'orphans', 'nothing seems to be left behind')]
}

/** Where a filter refuses to look, nothing is known of what is there. */
function canList(ipc: Library): boolean {
  try {
    ipc.list()
    return true
  } catch {
    return false
  }
}

/** No process has it attached, and whoever made it is dead. */
function orphanedSegment(item: Item): Finding[] {
  if (item.attached !== 0 || item.creatorAlive !== false) return []
  const label = labelOf(item)
  return [
    finding(
      'warning',
      'orphans',
      `the segment ${label} (${size(item.size ?? 0)}) is attached by nobody, and its creator, ${item.creatorPid}, is dead`,
      `os-ipc rm --memory ${label}`,
    ),
  ]
}

/** Files of /dev/shm do not tell who made them: that nobody has them mapped may be meant. */
function unmapped(item: Item): Finding[] {
  const holders = mappedByOthers(item)
  if (holders === undefined || holders.pids.length > 0 || !holders.complete) return []
  const what = item.type === 'memory' ? `memory (${size(item.size ?? 0)})` : 'POSIX semaphore'
  return [
    finding(
      'note',
      'orphans',
      `no process has the ${what} ${labelOf(item)} mapped; it is ${span(ageOf(item))} old`,
      `os-ipc rm ${item.type === 'memory' ? '--memory' : '--posix'} ${quoted(item)}`,
    ),
  ]
}

/** A semaphore or a limit outlives its users on purpose: only one that nobody came back to is worth a word. */
function unused(item: Item): Finding[] {
  const idle = Date.now() - Date.parse(usedAt(item) ?? madeAt(item) ?? '')
  const held = (item.holders?.length ?? 0) > 0 || Boolean(item.unnamed)
  if (item.waiters !== 0 || held || item.lastPidAlive === true || !(idle > LONG_UNUSED)) return []
  return [
    finding(
      'note',
      'orphans',
      `nobody has used the ${item.type} ${labelOf(item)} for ${span(idle)}, and its last user is dead`,
      `os-ipc rm --${item.type} ${quoted(item)}`,
    ),
  ]
}

/** A lock goes with its last user. The set of a killed one stays, and is free: whoever uses the lock next removes it. */
function leftLock(item: Item): Finding[] {
  const { name, key, exclusive, shared, waiters, processes, uid } = item
  if (key === null || exclusive || shared !== 0 || waiters !== 0 || processes?.length !== 0) return []
  // Only its owner, or root, may remove it.
  const own = process.geteuid?.()
  if (own !== 0 && own !== uid) return []
  // Any text is a name: one that a shell or the command would take for something else is called by its key.
  const plain = name !== null && /^[a-z_][\w./-]*$/i.test(name)
  return [
    finding(
      'note',
      'orphans',
      `nobody uses the lock ${labelOf(item)}: its last user was killed`,
      `os-ipc rm --lock ${plain ? name : hexKey(key)}`,
    ),
  ]
}

/** A name as a shell takes it. What cannot be shown needs the quotes that bash, zsh and ksh have for it. */
function quoted(item: Item): string {
  const label = item.name ?? labelOf(item)
  if (!isPrintable(label)) {
    const hex = (byte: number) => `\\x${byte.toString(16).padStart(2, '0')}`
    return `$'${printable(label.replaceAll(/['\\]/g, '\\$&'), character => escapedBytes(character, hex))}'`
  }
  return /^[\w/:.-]+$/.test(label) ? label : `'${label.replaceAll("'", `'\\''`)}'`
}

function ageOf(item: Item): number {
  const made = madeAt(item)
  return made === null ? Number.POSITIVE_INFINITY : Date.now() - Date.parse(made)
}
