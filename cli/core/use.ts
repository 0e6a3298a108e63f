import { count } from './format.js'
import { holdersText } from './holders.js'
import type { Item } from './items.js'
import { attachedTo, describePid, mappingFile, type Processes, waitingFor } from './processes.js'

/** The file of a POSIX object; Linux keeps them there, and other systems do not show them. */
export function fileOf({ type, name }: Item): string {
  return `/dev/shm/${type === 'semaphore' ? 'sem.' : ''}${name?.slice(1)}`
}

/** The other processes that have an item mapped or attached now; `undefined` where the kernel does not tell. */
export function mappedByOthers(item: Item): Processes | undefined {
  const found = mappedBy(item)
  return found && { ...found, pids: found.pids.filter(pid => pid !== process.pid) }
}

function mappedBy(item: Item): Processes | undefined {
  if (item.type === 'lock' || item.type === 'limit' || item.type === 'channel') return undefined
  if (item.system === 'posix') return item.name === null ? undefined : mappingFile(fileOf(item))
  return item.id === null || item.type !== 'memory' ? undefined : attachedTo(item.id)
}

/** The waiters of a semaphore, a limit or a lock; the kernel shows them only for System V. */
export function waitersOf(item: Item): Processes | undefined {
  if (item.type === 'memory' || item.type === 'channel' || item.system !== 'sysv' || item.id === null)
    return undefined
  return waitingFor(item.id)
}

/**
 * The reason not to remove an item; `undefined` when it is safe.
 *
 * The kernel does not tell who holds the units of a System V set; a living last user is the best sign of use.
 */
export function inUse(item: Item): string | undefined {
  if (item.waiters) return `${count(item.waiters, 'waiter')} would be woken with an error`
  if (item.exclusive || item.shared)
    return `it is held by ${(item.processes ?? []).map(describePid).join(', ')}`
  if (item.type === 'channel') return usedChannel(item)
  const permits = holdersText(item)
  if (permits !== undefined) return `its permits are held by ${permits}`
  if (item.attached) return `it is attached ${count(item.attached, 'time')}`
  const holders = mappedByOthers(item)?.pids ?? []
  if (holders.length > 0) return `it is mapped by ${holders.map(describePid).join(', ')}`
  if (
    item.type === 'semaphore' &&
    item.lastPid !== null &&
    item.lastPidAlive &&
    item.lastPid !== process.pid
  ) {
    return `the last process that used it, ${describePid(item.lastPid)}, is alive`
  }
  return undefined
}

function usedChannel({ processes, messages }: Item): string | undefined {
  if (processes !== null && processes.length > 0)
    return `it is used by ${processes.map(describePid).join(', ')}`
  return messages ? `it has ${count(messages, 'message')}` : undefined
}
