// Where the permits of `run` come from.

import type { Owner } from '../../index.js'
import type { Library } from '../core/command.js'
import { about, type Subject } from '../core/explain.js'
import { semaphoreSubject } from '../core/open.js'
import { note } from '../core/output.js'
import { libraryId } from '../core/target.js'

/** A permit that this process holds. */
export interface HeldPermit {
  release(): void | Promise<void>
  /** Aborts when the permit is lost while it is held; one of this host never is. */
  readonly signal?: AbortSignal
}

/** Something that gives permits: a semaphore of this host, or one that many hosts share. */
export interface PermitSource {
  /** Rejects with `code: 'ETIMEDOUT'` when the time (in milliseconds) is over. */
  acquire(limits: { timeout: number | undefined }): Promise<HeldPermit>
  close(): void | Promise<void>
}

/** What `run` says of the permits that it wants. */
export interface PermitOptions {
  /** How many there are, when the semaphore has to be made. */
  readonly permits: number
  readonly mode: number | undefined
  readonly owner: Owner | undefined
  readonly posix: boolean
  readonly quiet: boolean
  /** The Redis that many machines share; undefined for this host. */
  readonly redis: string | undefined
  readonly lease: number | undefined
}

/** Opens what gives the permits of a name. */
export async function openPermits(ipc: Library, name: string, options: PermitOptions): Promise<PermitSource> {
  const { redis } = options
  if (redis === undefined) return ofThisHost(ipc, semaphoreSubject(name, options), options)
  const { redisPermits } = await import('./redis.js')
  return redisPermits(redis, name, options)
}

/** A limit of this host, made when it is not there. */
function ofThisHost(ipc: Library, subject: Subject, options: PermitOptions): PermitSource {
  const { permits, mode, owner, quiet } = options
  const limit = about(ipc, subject, () =>
    ipc.Limit.openOrCreate(libraryId(subject.target), { permits, mode, owner }),
  )
  if (!ipc.capabilities.limits.crashRecovery && !quiet) {
    note(
      `a permit of ${subject.target.label} does not come back when os-ipc is killed: this kernel undoes nothing (--quiet leaves this out)`,
    )
  }
  return {
    acquire: limits => about(ipc, subject, () => limit.acquire(limits)),
    close: () => limit.close(),
  }
}
