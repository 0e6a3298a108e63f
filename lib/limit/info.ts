import type { NativeHolding, NativeLimitInfo } from '../../native.cjs'
import type { LimitEngine } from './engine.js'

/** How many permits of a limit a process holds. */
export interface LimitHolder {
  readonly pid: number
  readonly permits: number
}

/** What is known about a limit; `undefined` where the system does not say. */
export interface LimitInfo {
  /** What it is made of. */
  readonly engine: LimitEngine
  /** The name with its leading slash, where the limit carries it. */
  readonly name: string | undefined
  /** The System V key, a signed 32-bit number. */
  readonly key: number
  /** The System V set's id. */
  readonly id: number
  /** How many permits there are, as recorded; `undefined` for a set that another program made. */
  readonly permits: number | undefined
  /** How many of them are free. */
  readonly free: number
  /** Which processes hold how many, by pid; `undefined` for a set that another program made. */
  readonly holders: readonly LimitHolder[] | undefined
  /**
   * How many permits are held that no process in `holders` has: a limit names 64 processes, and none of another PID namespace.
   * What another program took without undo is counted here too.
   */
  readonly unnamed: number | undefined
  /** How many threads of all processes wait in the kernel; a process of ours has at most one there. */
  readonly waiters: number
  /** How many waits of this process are pending. */
  readonly pending: number
  /** Who took or gave back a permit last; `undefined` for nobody, or for a process of another PID namespace. */
  readonly lastPid: number | undefined
  /** The owner's user. */
  readonly uid: number
  /** The owner's group. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** When the last operation was, to the second. */
  readonly operatedAt: Date | undefined
  /** When it was made, or last changed in owner, mode or (by semctl) value, to the second. */
  readonly changedAt: Date
  /** Whether it is known to be the one of this name, and not another's with the same key. */
  readonly verified: boolean
}

/** The addon's view as the public one. */
export function limitInfo(info: NativeLimitInfo): LimitInfo {
  return {
    engine: 'sysv',
    name: info.name,
    key: info.key,
    id: info.id,
    permits: info.permits,
    free: info.free,
    holders: info.holders && limitHolders(info.holders),
    unnamed: info.unnamed,
    waiters: info.waiters,
    pending: info.pending,
    lastPid: info.lastPid,
    uid: info.uid,
    gid: info.gid,
    mode: info.mode,
    operatedAt: info.operatedAt === undefined ? undefined : new Date(info.operatedAt * 1000),
    changedAt: new Date(info.changedAt * 1000),
    verified: info.verified,
  }
}

/** `Array.from`: arrays of the addon are of the main context, and a test of Jest runs in another one. */
export function limitHolders(holders: readonly NativeHolding[]): LimitHolder[] {
  return Array.from(holders, ({ pid, permits }) => ({ pid, permits }))
}

/** The most processes that a message names. */
const NAMED = 8

/** Who holds the permits, for a message: `process 4711 holds 2, process 4712 holds 1`. */
export function heldBy(holders: readonly LimitHolder[], unnamed: number): string {
  const named = holders.slice(0, NAMED)
  const rest = holders.slice(NAMED).reduce((sum, { permits }) => sum + permits, unnamed)
  const parts = named.map(({ pid, permits }) => `process ${pid} holds ${permits}`)
  if (rest > 0) parts.push(`${parts.length === 0 ? '' : 'other '}processes hold ${rest}`)
  return parts.join(', ')
}
