import type { NativeLockInfo } from '../../native.cjs'

/** A lock that somebody uses, or did until a moment ago or until he was killed. */
export interface ListedLock {
  readonly name: string
  /** The System V key of its set. */
  readonly key: number | undefined
  /** The set's id. */
  readonly id: number | undefined
  /** Whether somebody has it alone. */
  readonly exclusive: boolean
  /** How many hold it together. */
  readonly shared: number
  /** How many threads of all processes wait in the kernel; a process of ours has at most one there. */
  readonly waiters: number
  /** The pids of those who use it, as far as the kernel knows. */
  readonly processes: number[]
  /** The owner's user. */
  readonly uid: number
  /** The owner's group. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** When it was made, to the second. */
  readonly changedAt: Date
}

/** The addon's view as the public one. */
export function listedLock({ key, id, changedAt, processes, ...lock }: NativeLockInfo): ListedLock {
  return { ...lock, key, id, processes: [...processes], changedAt: new Date(changedAt * 1000) }
}
