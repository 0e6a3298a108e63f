import type { NativeMemoryInfo } from '../../native.cjs'

/** What the kernel knows of a memory object; what a system does not keep is `undefined`. */
export interface SharedMemoryInfo {
  /** Which system it lives in. */
  readonly kind: 'posix' | 'sysv'
  /** The name of a POSIX object. */
  readonly name: string | undefined
  /** The key of a System V segment, unless it has none or lost it. */
  readonly key: number | undefined
  /** The id of a System V segment. */
  readonly id: number | undefined
  /** Bytes that it has now: a peer can cut a POSIX object. */
  readonly size: number
  /** How often a System V segment is attached, in all processes. */
  readonly attached: number | undefined
  /** The process that made a System V segment; `undefined` when it is of another PID namespace. */
  readonly creatorPid: number | undefined
  /** The last process that attached or detached it, likewise. */
  readonly lastPid: number | undefined
  /** Who owns it. */
  readonly uid: number
  /** Whose group it is. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** When a POSIX object was made, where the file system keeps that. */
  readonly createdAt: Date | undefined
  /** When a System V segment was last attached. */
  readonly attachedAt: Date | undefined
  /** When it was last detached. */
  readonly detachedAt: Date | undefined
  /** When its owner, mode or (POSIX) size or name last changed. */
  readonly changedAt: Date | undefined
  /** Its name or key is gone, and it goes with the last process that has it; `undefined` on darwin for POSIX. */
  readonly removed: boolean | undefined
}

/** The addon's view as the public one. */
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
