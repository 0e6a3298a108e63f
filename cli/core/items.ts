import type {
  LimitHolder,
  LimitInfo,
  ListedChannel,
  ListedLock,
  SemaphoreInfo,
  SharedMemoryInfo,
} from '../../index.js'
import type { Library } from './command.js'
import { hexKey, octal } from './format.js'
import { isAlive, programOf } from './processes.js'
import type { Target } from './target.js'
import { printable } from './text.js'
import { userName } from './users.js'

/** A semaphore, a limit, a lock, a channel or a memory object; a field that the system does not provide is null. */
export interface Item {
  readonly type: 'semaphore' | 'limit' | 'lock' | 'channel' | 'memory'
  readonly system: 'sysv' | 'posix' | 'ledger' | 'windows'
  readonly name: string | null
  /** The System V key, signed. */
  readonly key: number | null
  readonly id: number | null
  /** A semaphore: its units. */
  readonly value: number | null
  /** A limit: the recorded number of permits. */
  readonly permits: number | null
  /** A limit: the number of free permits. */
  readonly free: number | null
  /** A limit: the holders, each with its number of permits. */
  readonly holders: readonly LimitHolder[] | null
  /** A limit: the number of permits held by processes that are not among the holders. */
  readonly unnamed: number | null
  readonly waiters: number | null
  /** Bytes. */
  readonly size: number | null
  readonly attached: number | null
  /** A lock: whether it is held exclusively. */
  readonly exclusive: boolean | null
  /** A lock: the number of shared holders. */
  readonly shared: number | null
  /** A lock or a channel: the pids of the processes that use it. */
  readonly processes: readonly number[] | null
  /** A channel: the bytes that messages can use, and those that they use now. */
  readonly capacity: number | null
  readonly bytes: number | null
  /** A channel: the messages in it, and the numbers of those sent and received so far, modulo 2^32. */
  readonly messages: number | null
  readonly sent: number | null
  readonly received: number | null
  readonly codec: string | null
  /** A channel: the pids of the processes that send and that receive. */
  readonly senders: readonly number[] | null
  readonly receivers: readonly number[] | null
  /** A channel: whether it has ended. */
  readonly ended: boolean | null
  readonly uid: number | null
  readonly owner: string | null
  readonly gid: number | null
  /** Octal digits. */
  readonly mode: string | null
  readonly lastPid: number | null
  readonly lastPidAlive: boolean | null
  readonly creatorPid: number | null
  readonly creatorAlive: boolean | null
  /** The time when it was made, where the system keeps it: ISO 8601. */
  readonly createdAt: string | null
  /** The time when its owner, mode or size last changed; for a System V object or a lock possibly the time when it was made. */
  readonly changedAt: string | null
  /** A semaphore or a limit: the time of the last operation. */
  readonly operatedAt: string | null
  /** A System V segment: the time when it was last attached. */
  readonly attachedAt: string | null
  readonly detachedAt: string | null
  /** Whether its record confirms this name; null for memory. */
  readonly verified: boolean | null
  /** Whether its name or key was removed. */
  readonly removed: boolean | null
}

/** Every object that this user may see: semaphores, limits, locks, channels, then memory, each sorted by name. */
export function everything(ipc: Library): Item[] {
  const { semaphores, limits, locks, channels, memory } = ipc.list()
  return [
    ...semaphores.map(semaphoreItem).sort(byName),
    ...limits.map(limitItem).sort(byName),
    ...locks.map(lockItem).sort(byName),
    ...channels.map(channelItem).sort(byName),
    ...memory.map(memoryItem).sort(byName),
  ]
}

/** The same, but empty where the platform has no list or a filter refuses its system calls. */
export function everythingKnown(ipc: Library): Item[] {
  if (!ipc.capabilities.list) return []
  try {
    return everything(ipc)
  } catch {
    return []
  }
}

export function semaphoreItem(info: SemaphoreInfo): Item {
  return {
    type: 'semaphore',
    system: info.backend,
    name: info.name ?? null,
    key: info.key ?? null,
    id: info.id ?? null,
    value: info.value ?? null,
    ...NO_LIMIT,
    waiters: info.waiters ?? null,
    size: null,
    attached: null,
    ...NO_LOCK,
    ...NO_CHANNEL,
    ...ownership(info.uid, info.gid, info.mode),
    ...lastProcess(info.lastPid),
    creatorPid: null,
    creatorAlive: null,
    ...times({ changedAt: info.changedAt, operatedAt: info.operatedAt }),
    verified: info.verified,
    removed: info.removed,
  }
}

export function limitItem(info: LimitInfo): Item {
  return {
    type: 'limit',
    system: info.engine,
    name: info.name ?? null,
    key: info.key ?? null,
    id: info.id ?? null,
    value: null,
    permits: info.permits ?? null,
    free: info.free,
    holders: info.holders ?? null,
    unnamed: info.unnamed ?? null,
    waiters: info.waiters,
    size: null,
    attached: null,
    ...NO_LOCK,
    ...NO_CHANNEL,
    ...ownership(info.uid, info.gid, info.mode),
    ...lastProcess(info.lastPid),
    creatorPid: null,
    creatorAlive: null,
    createdAt: null,
    changedAt: info.changedAt.toISOString(),
    operatedAt: info.operatedAt?.toISOString() ?? null,
    attachedAt: null,
    detachedAt: null,
    verified: info.verified,
    removed: false,
  }
}

export function memoryItem(info: SharedMemoryInfo): Item {
  return {
    type: 'memory',
    system: info.kind,
    name: info.name ?? null,
    key: info.key ?? null,
    id: info.id ?? null,
    value: null,
    ...NO_LIMIT,
    waiters: null,
    size: info.size,
    attached: info.attached ?? null,
    ...NO_LOCK,
    ...NO_CHANNEL,
    ...ownership(info.uid, info.gid, info.mode),
    ...lastProcess(info.lastPid),
    creatorPid: info.creatorPid ?? null,
    creatorAlive: info.creatorPid === undefined ? null : isAlive(info.creatorPid),
    ...times(info),
    verified: null,
    removed: info.removed ?? null,
  }
}

/** A channel is a POSIX memory object and two semaphores. */
export function channelItem(info: ListedChannel): Item {
  return {
    type: 'channel',
    system: process.platform === 'win32' ? 'windows' : 'posix',
    name: info.name,
    key: null,
    id: null,
    value: null,
    ...NO_LIMIT,
    waiters: null,
    size: null,
    attached: null,
    ...NO_LOCK,
    processes: [...new Set([...info.senders, ...info.receivers])],
    capacity: info.capacity,
    bytes: info.bytes,
    messages: info.messages,
    sent: info.sent,
    received: info.received,
    codec: info.codec,
    senders: info.senders,
    receivers: info.receivers,
    ended: info.ended,
    ...ownership(info.uid, info.gid, info.mode),
    ...lastProcess(undefined),
    creatorPid: null,
    creatorAlive: null,
    ...times({ createdAt: info.createdAt }),
    verified: true,
    removed: false,
  }
}

/** A lock is a System V set, or a file where the platform has no suitable sets. */
export function lockItem(info: ListedLock): Item {
  return {
    type: 'lock',
    system: info.id === undefined ? 'posix' : 'sysv',
    name: info.name,
    key: info.key ?? null,
    id: info.id ?? null,
    value: null,
    ...NO_LIMIT,
    waiters: info.waiters,
    size: null,
    attached: null,
    exclusive: info.exclusive,
    shared: info.shared,
    processes: info.processes,
    ...NO_CHANNEL,
    ...ownership(info.uid, info.gid, info.mode),
    ...lastProcess(undefined),
    creatorPid: null,
    creatorAlive: null,
    ...times({ changedAt: info.changedAt }),
    verified: true,
    removed: false,
  }
}

/** The fields that only a limit has. */
const NO_LIMIT = { permits: null, free: null, holders: null, unnamed: null }

/** The fields that only a channel has. */
const NO_CHANNEL = {
  capacity: null,
  bytes: null,
  messages: null,
  sent: null,
  received: null,
  codec: null,
  senders: null,
  receivers: null,
  ended: null,
}

/** The fields that only a lock has. */
const NO_LOCK = { exclusive: null, shared: null, processes: null }

function ownership(uid: number | undefined, gid: number | undefined, mode: number | undefined) {
  // Windows has neither: the library reports zeros, as Node does for files.
  if (process.platform === 'win32') return { uid: null, owner: null, gid: null, mode: null }
  return {
    uid: uid ?? null,
    owner: uid === undefined ? null : userName(uid),
    gid: gid ?? null,
    mode: mode === undefined ? null : octal(mode),
  }
}

/** The times of an object; undefined for a time that the system does not keep. */
interface Times {
  readonly createdAt?: Date | undefined
  readonly changedAt?: Date | undefined
  readonly operatedAt?: Date | undefined
  readonly attachedAt?: Date | undefined
  readonly detachedAt?: Date | undefined
}

function times({ createdAt, changedAt, operatedAt, attachedAt, detachedAt }: Times) {
  const text = (time: Date | undefined) => time?.toISOString() ?? null
  return {
    createdAt: text(createdAt),
    changedAt: text(changedAt),
    operatedAt: text(operatedAt),
    attachedAt: text(attachedAt),
    detachedAt: text(detachedAt),
  }
}

/** The time when it was made or, where the system does not keep that, last changed: ISO 8601. */
export function madeAt({ createdAt, changedAt }: Item): string | null {
  return createdAt ?? changedAt
}

/** The time of the last operation, attach or detach: ISO 8601. */
export function usedAt({ operatedAt, attachedAt, detachedAt }: Item): string | null {
  // Texts of equal length in one time zone sort in the order of their times.
  return (
    [operatedAt, attachedAt, detachedAt]
      .flatMap(time => time ?? [])
      .sort()
      .at(-1) ?? null
  )
}

function lastProcess(pid: number | undefined) {
  return { lastPid: pid ?? null, lastPidAlive: pid === undefined ? null : isAlive(pid) }
}

/** An item as `--json` prints it: each holder of a permit has also its program. */
export function itemJson(item: Item): object {
  const holders = item.holders?.map(holder => ({ ...holder, command: programOf(holder.pid) ?? null }))
  return { ...item, holders: holders ?? null }
}

/** The name for people: the name of an item, its key in hex, or its id. */
export function labelOf({ name, key, id, type }: Item): string {
  if (name !== null) return printable(name)
  if (key !== null && key !== 0) return hexKey(key)
  return type === 'memory' && id !== null ? `id:${id}` : '(no key)'
}

/** Whether a NAME of the command line means this item. A set that a peer made has no name, but the name's key. */
export function means(target: Target, { type, system, name, key, id }: Item): boolean {
  switch (target.type) {
    case 'id':
      return type === 'memory' && system === 'sysv' && id === target.id
    case 'key':
      return key === target.key
    case 'name':
      // The name of a lock is any text: with one more slash it is another lock.
      if (type === 'lock') return name === target.text
      if (name !== null) return name === target.name
      return (type === 'semaphore' || type === 'limit') && key === target.key
  }
}

function byName(a: Item, b: Item): number {
  const [one, other] = [labelOf(a), labelOf(b)]
  return one < other ? -1 : one > other ? 1 : (a.id ?? 0) - (b.id ?? 0)
}
