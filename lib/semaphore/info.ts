import type { NativeSemaphoreInfo } from '../../native.cjs'
import { defined, live } from '../inspect.js'
import type { Semaphore } from './semaphore.js'
import type { Backend } from '../options.js'

/** The facts about a semaphore. A fact is `undefined` if the system does not have it. */
export interface SemaphoreInfo {
  /** The backend. */
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
   * The number of threads of all processes that wait in the kernel; each process of this package has at most one there. A POSIX
   * semaphore keeps counting a thread that was killed while it waited.
   */
  readonly waiters: number | undefined
  /** The number of pending waits of this process. */
  readonly pending: number
  /** The process that changed the counter last; `undefined` for none, or for a process of another PID namespace. */
  readonly lastPid: number | undefined
  /** The uid of the owner. */
  readonly uid: number | undefined
  /** The gid of the owner. */
  readonly gid: number | undefined
  /** Permission bits. */
  readonly mode: number | undefined
  /** The time of the last operation, in whole seconds. */
  readonly operatedAt: Date | undefined
  /** The time at which it was made, or last changed in owner, mode or (by semctl) value, in whole seconds. */
  readonly changedAt: Date | undefined
  /** Whether it certainly belongs to this name, and not to another name with the same key. */
  readonly verified: boolean
  /** Whether its name was removed or belongs to another one now (POSIX). */
  readonly removed: boolean
}

/** Converts the addon's info into the public one. */
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

/** The facts that `console.log` of a semaphore shows. */
export function inspected(semaphore: Semaphore): object {
  const { name, backend } = semaphore
  const now = () => {
    const { key, value, waiters, pending } = semaphore.info()
    return defined({ key: name === undefined ? key : undefined, value, waiters, pending })
  }
  return { ...defined({ name, backend }), ...live(now) }
}
