import { locks, type LockManager } from '../../../index.js'
import { HostLockManager } from '../../../lib/lock/manager.js'

/** The locks of the platform or, with a folder, locks made of files. */
export function managerOf(folder: string | undefined): LockManager {
  return folder ? new HostLockManager(folder) : locks
}
