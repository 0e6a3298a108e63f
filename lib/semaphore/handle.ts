import { constants } from 'node:os'

import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import type { Backend, Id } from '../options.js'
import { Handle } from '../waiting/handle.js'

/** An open semaphore in the addon. */
export class SemaphoreHandle extends Handle {
  readonly noun = 'semaphore'
  readonly permit = false
  readonly backend: Backend

  constructor(number: number, id: Id, backend: Backend) {
    super(number, id)
    this.backend = backend
  }

  timedOut(): IpcError {
    return new IpcError('ETIMEDOUT', `no unit of the semaphore ${this.label} came in time`, {
      errno: -constants.errno.ETIMEDOUT,
      hint: 'no unit was free in that time: `os-ipc show` and info() list the waiters and the last user',
    })
  }

  protected identify(): object {
    return checked(native.semaphoreIdentity(this.number))
  }

  protected remove(): void {
    checked(native.semaphoreUnlink(this.number))
  }

  protected removeClosed(identity: object): void {
    checked(native.semaphoreRemoveClosed(identity))
  }
}
