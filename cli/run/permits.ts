// Where the permits of `run` come from.

import type { Limit, Owner } from '../../index.js'
import type { Library } from '../core/command.js'
import { about, type Subject } from '../core/explain.js'
import { holdersText } from '../core/holders.js'
import { limitItem } from '../core/items.js'
import { limitSubject } from '../core/open.js'
import { note } from '../core/output.js'
import { tellDifference } from '../core/permits.js'
import { libraryId } from '../core/target.js'

/** Has a permit stay with the program that this process becomes, or not any more. */
export const HAND_ON: unique symbol = Symbol.for('os-ipc.handOn')

/** A permit that this process holds. */
export interface HeldPermit {
  release(): void | Promise<void>
  /** Aborts when the permit is lost while it is held; one of this host never is. */
  readonly signal?: AbortSignal
  /** Only a permit of a limit has it: a program that opens the limit gives back what it does not know of. */
  readonly [HAND_ON]?: (handedOn: boolean) => void
}

/** Something that gives permits: a limit of this host, or one that many hosts share. */
export interface PermitSource {
  /** Rejects with `code: 'ETIMEDOUT'` when the time (in milliseconds) is over. */
  acquire(limits: { timeout: number | undefined }): Promise<HeldPermit>
  /** Why there was no permit, for people; undefined where nothing tells. */
  whyNone?(): string | undefined
  /** Whether a permit stays with this process when it becomes another program, and goes back when the process ends. */
  readonly outlivesExec?: boolean
  close(): void | Promise<void>
}

/** What `run` says of the permits that it wants. */
export interface PermitOptions {
  /** How many there are to be; undefined for what is there, or 1 where nothing is. */
  readonly permits: number | undefined
  readonly mode: number | undefined
  readonly owner: Owner | undefined
  readonly quiet: boolean
  /** The Redis that many machines share; undefined for this host. */
  readonly redis: string | undefined
  readonly lease: number | undefined
}

/** Opens what gives the permits of a name. */
export async function openPermits(ipc: Library, name: string, options: PermitOptions): Promise<PermitSource> {
  const { redis } = options
  if (redis === undefined) return ofThisHost(ipc, limitSubject(name), options)
  const { redisPermits } = await import('./redis.js')
  return redisPermits(redis, name, { permits: options.permits ?? 1, lease: options.lease })
}

/** A limit of this host, made when it is not there. */
function ofThisHost(ipc: Library, subject: Subject, options: PermitOptions): PermitSource {
  const { permits, mode, owner, quiet } = options
  const limit = about(ipc, subject, () =>
    ipc.Limit.openOrCreate(libraryId(subject.target), { permits: permits ?? 1, mode, owner }),
  )
  if (permits !== undefined && !quiet) tellDifference(limit, permits, subject)
  const recovers = ipc.capabilities.limits.crashRecovery
  if (!recovers && !quiet) {
    note(
      `a permit of ${subject.target.label} does not come back when os-ipc is killed: this kernel undoes nothing (--quiet leaves this out)`,
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
  return item.holders === null ? undefined : 'every permit came back by now: others were quicker'
}
