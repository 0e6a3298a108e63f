import { count } from './format.js'
import { holdersText } from './holders.js'
import type { Item } from './items.js'
import { attachedTo, describePid, mappingFile, type Processes, waitingFor } from './processes.js'

/** The file of a POSIX object; Linux keeps them there, and other systems do not show them. */
export function fileOf({ type, name }: Item): string {
  return `/dev/shm/${type === 'semaphore' ? 'sem.' : ''}${name?.slice(1)}`
}

/** Who else has an item mapped or attached now, as far as the kernel tells; `undefined` where it does not. */
export function mappedByOthers(item: Item): Processes | undefined {
  const found = mappedBy(item)
  return found && { ...found, pids: found.pids.filter(pid => pid !== process.pid) }
}

function mappedBy(item: Item): Processes | undefined {
  if (item.type === 'lock' || item.type === 'limit') return undefined
  if (item.system === 'posix') return item.name === null ? undefined : mappingFile(fileOf(item))
  return item.id === null || item.type !== 'memory' ? undefined : attachedTo(item.id)
}

/** Who waits for a semaphore, a limit or a lock; only System V's sleepers say what for. */
export function waitersOf(item: Item): Processes | undefined {
  if (item.type === 'memory' || item.system !== 'sysv' || item.id === null) return undefined
  return waitingFor(item.id)
}

/**
 * What speaks against removing it; `undefined` for nothing.
 *
 * The kernel does not tell who holds the permits of a System V set: that its last user is alive is the nearest to it.
 */
export function inUse(item: Item): string | undefined {
  if (item.waiters) return `${count(item.waiters, 'waiter')} would be woken with an error`
  if (item.exclusive || item.shared)
    return `it is held by ${(item.processes ?? []).map(describePid).join(', ')}`
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
