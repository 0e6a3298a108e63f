import { constants } from 'node:os'

import { checked, fromNative, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { LimitEngine } from './engine.js'
import { heldBy, limitHolders } from './info.js'
import type { Id } from '../options.js'
import { Handle } from '../waiting/handle.js'

/** An open limit in the addon. */
export class LimitHandle extends Handle {
  readonly noun = 'limit'
  readonly permit = true
  readonly backend: LimitEngine

  constructor(number: number, id: Id, engine: LimitEngine) {
    super(number, id)
    this.backend = engine
  }

  /** Releases a permit. */
  release(): void {
    const failure = native.limitRelease(this.number)
    if (typeof failure === 'string') throw fromNative(failure)
    this.permits -= 1
    if (this.open) return
    try {
      this.dropIfUnused()
    } catch {} // The stack has no room for it. The permit is given back all the same, and the garbage collector drops the handle.
  }

  /** Sets whether the permits pass to the program that this process becomes. */
  handOn(handedOn: boolean): void {
    checked(native.limitHandOn(this.number, handedOn))
  }

  /** A timeout error that names the holders of the permits; `to` is the number of permits that a resizing did not reach. */
  timedOut(to?: number): IpcError {
    const info = this.open ? native.limitInfo(this.number) : undefined
    const known = typeof info === 'object' ? info : undefined
    const holders = known?.holders && limitHolders(known.holders)
    const { permits, unnamed = 0, stopped = [] } = known ?? {}
    const stopping = stopped.length === 0 ? '' : `; stopped by a signal or a debugger: ${stopped.join(', ')}`
    const what =
      to === undefined
        ? `no permit of the limit ${this.label} came in time`
        : `the limit ${this.label} did not reach ${to} permits in time`
    return new IpcError('ETIMEDOUT', what, {
      errno: -constants.errno.ETIMEDOUT,
      hint:
        holders === undefined || permits === undefined
          ? 'no permit was free in that time: `os-ipc show` and info() list the waiters and the last user'
          : permits === 0
            ? 'the limit has 0 permits: resize() gives it permits'
            : holders.length > 0 || unnamed > 0
              ? `of its ${permits} permits, ${heldBy(holders, unnamed)}${stopping}`
              : stopped.length > 0
                ? `its users wait for a process that is stopped by a signal or a debugger: ${stopped.join(', ')}`
                : 'every permit is back now: other waiters took them first',
      holders,
    })
  }

  protected identify(): object {
    return checked(native.limitIdentity(this.number))
  }

  protected remove(): void {
    checked(native.limitUnlink(this.number))
  }

  protected removeClosed(identity: object): void {
    checked(native.limitRemoveClosed(identity))
  }
}
