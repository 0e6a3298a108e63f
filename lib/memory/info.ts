import type { NativeMemoryInfo } from '../../native.cjs'
import { defined, live } from '../inspect.js'
import type { SharedMemory } from './shared-memory.js'

/** The kernel's facts about a memory object. A fact is `undefined` if the system does not have it. */
export interface SharedMemoryInfo {
  /** The system that keeps it. */
  readonly kind: 'posix' | 'sysv' | 'windows'
  /** The name of a POSIX object, or of memory on Windows. */
  readonly name: string | undefined
  /** The key of a System V segment; `undefined` if it has none or has lost it. */
  readonly key: number | undefined
  /** The id of a System V segment. */
  readonly id: number | undefined
  /** The present size in bytes: a peer can truncate a POSIX object. */
  readonly size: number
  /** The number of attachments of a System V segment, in all processes. */
  readonly attached: number | undefined
  /** The process that made a System V segment; `undefined` when it belongs to another PID namespace. */
  readonly creatorPid: number | undefined
  /** The last process that attached or detached it; `undefined` when it belongs to another PID namespace. */
  readonly lastPid: number | undefined
  /** The uid of the owner; 0 on Windows, which has none. */
  readonly uid: number
  /** The gid of its group; 0 on Windows. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** The time at which a POSIX object was made, where the file system keeps it. */
  readonly createdAt: Date | undefined
  /** The time of the last attachment of a System V segment. */
  readonly attachedAt: Date | undefined
  /** The time of its last detachment. */
  readonly detachedAt: Date | undefined
  /** The time of the last change of its owner or mode or, for POSIX, of its size or name. */
  readonly changedAt: Date | undefined
  /** Whether its name or key is gone; it then lasts until its last process ends. `undefined` on darwin for POSIX. */
  readonly removed: boolean | undefined
}

/** Converts the addon's info into the public one. */
export function sharedMemoryInfo(info: NativeMemoryInfo): SharedMemoryInfo {
  return {
    kind: info.kind,
    name: info.name,
    key: info.key,
    id: info.id,
    size: info.size,
    attached: info.attached,
    creatorPid: info.creatorPid,
    lastPid: info.lastPid,
    uid: info.uid,
    gid: info.gid,
    mode: info.mode,
    createdAt: time(info.createdAt),
    attachedAt: time(info.attachedAt),
    detachedAt: time(info.detachedAt),
    changedAt: time(info.changedAt),
    removed: info.removed,
  }
}

function time(milliseconds: number | undefined): Date | undefined {
  return milliseconds === undefined ? undefined : new Date(milliseconds)
}

/** The facts that `console.log` of memory shows. */
export function inspected(memory: SharedMemory): object {
  const { kind, name, key, id, size, readOnly } = memory
  const now = () => {
    const { attached, removed } = memory.info()
    return defined({ attached, removed: removed || undefined })
  }
  return { ...defined({ kind, name, key, id, size, readOnly }), ...live(now) }
}
