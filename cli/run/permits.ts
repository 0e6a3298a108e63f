// The sources of the permits of `run`.

import type { Limit, Owner } from '../../index.js'
import type { Library } from '../core/command.js'
import { about, type Subject } from '../core/explain.js'
import { holdersText } from '../core/holders.js'
import { limitItem } from '../core/items.js'
import { limitSubject } from '../core/open.js'
import { note } from '../core/output.js'
import { tellDifference } from '../core/permits.js'
import { libraryId } from '../core/target.js'

/** Keeps a permit for the program that this process becomes, or takes that back. */
export const HAND_ON: unique symbol = Symbol.for('os-ipc.handOn')

/** A permit that this process holds. */
export interface HeldPermit {
  release(): void | Promise<void>
  /** Aborts when the permit is lost while it is held; a permit of this host is never lost. */
  readonly signal?: AbortSignal
  /** Only a permit of a limit has it: a program that opens the limit gives back permits that it does not know. */
  readonly [HAND_ON]?: (handedOn: boolean) => void
}

/** A source of permits: a limit of this host, or one that many hosts share. */
export interface PermitSource {
  /** Rejects with `code: 'ETIMEDOUT'` when the time (in milliseconds) is over. */
  acquire(limits: { timeout: number | undefined }): Promise<HeldPermit>
  /** The reason why no permit came, as text; undefined where it is unknown. */
  whyNone?(): string | undefined
  /** Whether a permit stays with this process when it becomes another program, and goes back when the process ends. */
  readonly outlivesExec?: boolean
  close(): void | Promise<void>
}

/** The options of `run` for its permits. */
export interface PermitOptions {
  /** The number of permits of a new limit; undefined for the existing number, or 1 for a new limit. */
  readonly permits: number | undefined
  readonly mode: number | undefined
  readonly owner: Owner | undefined
  readonly quiet: boolean
  /** The Redis that many machines share; undefined for this host. */
  readonly redis: string | undefined
  readonly lease: number | undefined
}

/** Opens the source of the permits of a name. */
export async function openPermits(ipc: Library, name: string, options: PermitOptions): Promise<PermitSource> {
  const { redis } = options
  if (redis === undefined) return ofThisHost(ipc, limitSubject(name), options)
  const { redisPermits } = await import('./redis.js')
  return redisPermits(redis, name, { permits: options.permits ?? 1, lease: options.lease })
}

/** A limit of this host, made when it is missing. */
function ofThisHost(ipc: Library, subject: Subject, options: PermitOptions): PermitSource {
  const { permits, mode, owner, quiet } = options
  const limit = about(ipc, subject, () =>
    ipc.Limit.openOrCreate(libraryId(subject.target), { permits: permits ?? 1, mode, owner }),
  )
  if (permits !== undefined && !quiet) tellDifference(limit, permits, subject)
  // A System V set stays what it is, also where the kernel ignores undo and new limits are ledgers.
  const recovers = limit.engine === 'ledger' || ipc.capabilities.limits.default === 'sysv'
  if (!recovers && !quiet) {
    note(
      `a permit of ${subject.target.label} does not come back when os-ipc is killed: this kernel undoes nothing (--quiet omits this line)`,
    )
  }
  return {
    acquire: limits => about(ipc, subject, () => limit.acquire(limits)),
    whyNone: () => whyNone(ipc, subject, limit),
    outlivesExec: recovers,
    close: () => limit.close(),
  }
}

function whyNone(ipc: Library, subject: Subject, limit: Limit): string | undefined {
  const item = about(ipc, subject, () => limitItem(limit.info()))
  const { label } = subject.target
  if (item.permits === 0) return `the limit has 0 permits; os-ipc limit ${label} N gives it some`
  const held = holdersText(item)
  if (held !== undefined) return `held by ${held}`
  return item.holders === null ? undefined : 'every permit is back now: other waiters took them first'
}
