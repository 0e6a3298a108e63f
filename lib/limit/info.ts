import type { NativeHolding, NativeLimitInfo } from '../../native.cjs'
import { defined, live } from '../inspect.js'
import type { LimitEngine } from './engine.js'
import type { Limit } from './limit.js'

/** The number of permits that a process holds. */
export interface LimitHolder {
  readonly pid: number
  readonly permits: number
}

/** The facts about a limit. A fact is `undefined` if the system does not have it. */
export interface LimitInfo {
  /** The engine. */
  readonly engine: LimitEngine
  /** The name with its leading slash, where the limit carries it. */
  readonly name: string | undefined
  /** The System V key, a signed 32-bit number; `undefined` for a ledger. */
  readonly key: number | undefined
  /** The System V set's id; `undefined` for a ledger. */
  readonly id: number | undefined
  /** The recorded number of permits; `undefined` for a set that another program made. */
  readonly permits: number | undefined
  /** The number of free permits. */
  readonly free: number
  /** The holders, by pid, with their numbers of permits; `undefined` for a set that another program made. */
  readonly holders: readonly LimitHolder[] | undefined
  /**
   * The number of held permits without a holder in `holders`. `holders` names at most 64 processes (of a ledger, 1,024),
   * and none of another PID namespace. Permits that another program took without undo count here too.
   */
  readonly unnamed: number | undefined
  /**
   * The processes that hold permits, wait or change the limit, and are stopped by a signal or a debugger; `undefined` for a System V set.
   * Other waiters pass a stopped waiter. A stopped holder keeps its permits.
   */
  readonly stopped: readonly number[] | undefined
  /**
   * The number of threads of all processes that wait in the kernel; each process of this package has at most one there.
   * For a ledger this is the number of processes that wait.
   */
  readonly waiters: number
  /** The number of pending waits of this process. */
  readonly pending: number
  /** The process that took or released a permit last; `undefined` for none, for a process of another PID namespace, and for a ledger. */
  readonly lastPid: number | undefined
  /** The uid of the owner. */
  readonly uid: number
  /** The gid of the owner. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** The time of the last operation, in whole seconds. For a ledger, the time at which a permit was taken last; `undefined` if none was. */
  readonly operatedAt: Date | undefined
  /** The time at which it was made, or last changed in owner, mode or (by semctl) value, in whole seconds. */
  readonly changedAt: Date
  /** Whether it certainly belongs to this name, and not to another name with the same key. */
  readonly verified: boolean
}

/** Converts the addon's info into the public one. */
export function limitInfo(info: NativeLimitInfo): LimitInfo {
  return {
    engine: info.engine as LimitEngine,
    name: info.name,
    key: info.key,
    id: info.id,
    permits: info.permits,
    free: info.free,
    holders: info.holders && limitHolders(info.holders),
    unnamed: info.unnamed,
    stopped: info.stopped && Array.from(info.stopped),
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

/** `Array.from`: arrays of the addon belong to the main context, and a test of Jest runs in another one. */
export function limitHolders(holders: readonly NativeHolding[]): LimitHolder[] {
  return Array.from(holders, ({ pid, permits }) => ({ pid, permits }))
}

/** The most processes that a message names, so that the message stays short. */
const NAMED = 8

/** The holders of the permits, for a message: `process 4711 holds 2, process 4712 holds 1`. */
export function heldBy(holders: readonly LimitHolder[], unnamed: number): string {
  const named = holders.slice(0, NAMED)
  const rest = holders.slice(NAMED).reduce((sum, { permits }) => sum + permits, unnamed)
  const parts = named.map(({ pid, permits }) => `process ${pid} holds ${permits}`)
  if (rest > 0) parts.push(`${parts.length === 0 ? '' : 'other '}processes hold ${rest}`)
  return parts.join(', ')
}

/** The facts that `console.log` of a limit shows. */
export function inspected(limit: Limit): object {
  const { name, engine } = limit
  const now = () => {
    const { key, permits, free, holders, waiters, pending } = limit.info()
    return defined({ key: name === undefined ? key : undefined, permits, free, holders, waiters, pending })
  }
  return { ...defined({ name, engine }), ...live(now) }
}
