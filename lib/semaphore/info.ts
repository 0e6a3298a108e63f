import type { NativeSemaphoreInfo } from '../../native.cjs'
import type { Backend } from '../options.js'

/** What is known about a semaphore; `undefined` where the system does not say. */
export interface SemaphoreInfo {
  /** Which of the platform's two kinds it is. */
  readonly backend: Backend
  /** The name with its leading slash, where the semaphore carries it. */
  readonly name: string | undefined
  /** The System V key, a signed 32-bit number. */
  readonly key: number | undefined
  /** The System V set's id. */
  readonly id: number | undefined
  /** The counter. */
  readonly value: number | undefined
  /**
   * How many threads of all processes wait in the kernel; a process of ours has at most one there. A thread that was
   * killed while it waited goes on being counted in a POSIX semaphore.
   */
  readonly waiters: number | undefined
  /** How many waits of this process are pending. */
  readonly pending: number
  /** Who changed the counter last; `undefined` for nobody, or for a process of another PID namespace. */
  readonly lastPid: number | undefined
  /** The owner's user. */
  readonly uid: number | undefined
  /** The owner's group. */
  readonly gid: number | undefined
  /** Permission bits. */
  readonly mode: number | undefined
  /** When the last operation was, to the second. */
  readonly operatedAt: Date | undefined
  /** When it was made, or last changed in owner, mode or (by semctl) value, to the second. */
  readonly changedAt: Date | undefined
  /** Whether it is known to be the one of this name, and not another's with the same key. */
  readonly verified: boolean
  /** Whether its name was taken away or given to another one (POSIX). */
  readonly removed: boolean
}

/** The addon's view as the public one. */
export function semaphoreInfo(info: NativeSemaphoreInfo): SemaphoreInfo {
  return {
    backend: info.backend,
    name: info.name,
    key: info.key,
    id: info.id,
    value: info.value,
    waiters: info.waiters,
    pending: info.pending,
    lastPid: info.lastPid,
    uid: info.uid,
    gid: info.gid,
    mode: info.mode,
    operatedAt: time(info.operatedAt),
    changedAt: time(info.changedAt),
    verified: info.verified,
    removed: info.removed,
  }
}

function time(seconds: number | undefined): Date | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1000)
}
