import type { Library } from '../core/command.js'
import { hexKey, size, span } from '../core/format.js'
import { everything, type Item, labelOf, madeAt, usedAt } from '../core/items.js'
import { escapedBytes, isPrintable, printable } from '../core/text.js'
import { mappedByOthers } from '../core/use.js'
import { type Finding, finding } from './finding.js'

/** A younger object may still wait for its first user after its creator ended. */
const YOUNG = 60_000

/** The time without use after which doctor reports a semaphore or a limit. */
const LONG_UNUSED = 7 * 86_400_000

/** Objects that no process seems to use any more, each with the command that removes it. */
export function checkOrphans(ipc: Library): Finding[] {
  if (!ipc.capabilities.list || !canList(ipc)) return []
  const all = everything(ipc)
  const items = all.filter(item => !item.removed && ageOf(item) > YOUNG)
  const segments = items
    .filter(item => item.type === 'memory' && item.system === 'sysv')
    .flatMap(orphanedSegment)
  const files = items
    .filter(({ type, system }) => (type === 'memory' || type === 'semaphore') && system === 'posix')
    .flatMap(unmapped)
  const sets = items
    .filter(({ type, system }) => type === 'limit' || (type === 'semaphore' && system === 'sysv'))
    .flatMap(unused)
  const locks = all.filter(({ type }) => type === 'lock').flatMap(leftLock)
  const findings = [...segments, ...files, ...sets, ...locks]
  return findings.length > 0 ? findings : [finding('ok', 'orphans', 'nothing seems to be left behind')]
}

/** When a filter refuses the calls of the list, the objects are unknown. */
function canList(ipc: Library): boolean {
  try {
    ipc.list()
    return true
  } catch {
    return false
  }
}

/** Segments that no process has attached and whose creator is dead. */
function orphanedSegment(item: Item): Finding[] {
  if (item.attached !== 0 || item.creatorAlive !== false) return []
  const label = labelOf(item)
  return [
    finding(
      'warning',
      'orphans',
      `the segment ${label} (${size(item.size ?? 0)}) is attached by no process, and its creator, ${item.creatorPid}, is dead`,
      `os-ipc rm --memory ${label}`,
    ),
  ]
}

/** Files of /dev/shm do not tell their creator, so an unmapped file may be intended. */
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

/** A semaphore or a limit outlives its users on purpose, so doctor reports only those unused for long. */
function unused(item: Item): Finding[] {
  const idle = Date.now() - Date.parse(usedAt(item) ?? madeAt(item) ?? '')
  const held = (item.holders?.length ?? 0) > 0 || Boolean(item.unnamed)
  if (item.waiters !== 0 || held || item.lastPidAlive === true || !(idle > LONG_UNUSED)) return []
  return [
    finding(
      'note',
      'orphans',
      `no process has used the ${item.type} ${labelOf(item)} for ${span(idle)}, and its last user is dead`,
      `os-ipc rm --${item.type} ${quoted(item)}`,
    ),
  ]
}

/** The last user removes a lock. After a kill its set stays, and is free: the next user of the lock removes it. */
function leftLock(item: Item): Finding[] {
  const { name, key, exclusive, shared, waiters, processes, uid } = item
  if (key === null || exclusive || shared !== 0 || waiters !== 0 || processes?.length !== 0) return []
  // Only its owner, or root, may remove it.
  const own = process.geteuid?.()
  if (own !== 0 && own !== uid) return []
  // Any text is a lock name: a name that a shell or the command would misread is replaced by its key.
  const plain = name !== null && /^[a-z_][\w./-]*$/i.test(name)
  return [
    finding(
      'note',
      'orphans',
      `no process uses the lock ${labelOf(item)}: its last user was killed`,
      `os-ipc rm --lock ${plain ? name : hexKey(key)}`,
    ),
  ]
}

/** A name quoted for a shell. Unprintable characters need the $'...' quotes of bash, zsh and ksh. */
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
