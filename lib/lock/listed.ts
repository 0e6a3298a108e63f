import type { NativeLockInfo } from '../../native.cjs'

/** A lock. Its last user may have ended a moment ago, or may have been killed. */
export interface ListedLock {
  readonly name: string
  /** The System V key of its set. */
  readonly key: number | undefined
  /** The id of its System V set. */
  readonly id: number | undefined
  /** Whether a process holds it exclusively. */
  readonly exclusive: boolean
  /** The number of holders that share it. */
  readonly shared: number
  /** The number of threads of all processes that wait in the kernel; each process of this package has at most one there. */
  readonly waiters: number
  /** The pids of its users, as far as the kernel knows them. */
  readonly processes: number[]
  /** The uid of the owner. */
  readonly uid: number
  /** The gid of the owner. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** The time at which it was made, in whole seconds. */
  readonly changedAt: Date
}

/** Converts the addon's entry into the public one. */
export function listedLock({ key, id, changedAt, processes, ...lock }: NativeLockInfo): ListedLock {
  return { ...lock, key, id, processes: [...processes], changedAt: new Date(changedAt * 1000) }
}
