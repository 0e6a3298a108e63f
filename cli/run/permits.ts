// Where the permits of `run` come from.

import type { Owner } from '../../index.js'
import type { Library } from '../core/command.js'
import { about, type Subject } from '../core/explain.js'
import { semaphoreSubject } from '../core/open.js'
import { note } from '../core/output.js'
import { libraryId } from '../core/target.js'

/** The method of a permit of a limit that is for us: `lib/limit/permit.ts`. */
const HAND_ON = Symbol.for('os-ipc.handOn')

/** A permit that this process holds. */
export interface HeldPermit {
  release(): void | Promise<void>
  /** Says whether it is for the program that this process becomes, which else gives back what it did not take. */
  handOn?(kept: boolean): void
  /** Aborts when the permit is lost while it is held; one of this host never is. */
  readonly signal?: AbortSignal
}

/** Something that gives permits: a semaphore of this host, or one that many hosts share. */
export interface PermitSource {
  /** Rejects with `code: 'ETIMEDOUT'` when the time (in milliseconds) is over. */
  acquire(limits: { timeout: number | undefined }): Promise<HeldPermit>
  /** Whether a permit stays with this process when it becomes another program, and goes back when the process ends. */
  readonly outlivesExec?: boolean
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
  const recovers = ipc.capabilities.limits.crashRecovery
  if (!recovers && !quiet) {
    note(
      `a permit of ${subject.target.label} does not come back when os-ipc is killed: this kernel undoes nothing (--quiet leaves this out)`,
    )
  }
  return {
    acquire: async limits => {
      const permit = await about(ipc, subject, () => limit.acquire(limits))
      const marked = permit as typeof permit & Record<symbol, ((kept: boolean) => void) | undefined>
      return { release: () => permit.release(), handOn: kept => marked[HAND_ON]?.(kept) }
    },
    outlivesExec: recovers,
    close: () => limit.close(),
  }
}
