import { checked } from '../errors.js'
import { type ListedLock, listedLock } from '../lock/listed.js'
import { native } from '../addon/native.js'
import { semaphoreInfo, type SemaphoreInfo } from '../semaphore/info.js'
import { type SharedMemoryInfo, sharedMemoryInfo } from '../memory/info.js'

/** Everything on this host that we may read. */
export interface Listing {
  readonly semaphores: SemaphoreInfo[]
  /** Locks: each is a set of semaphores, and not among `semaphores`. */
  readonly locks: ListedLock[]
  readonly memory: SharedMemoryInfo[]
}

/**
 * Everything on this host that we may read: ours, Go's, Python's and anybody's.
 *
 * @throws {IpcError} `ERR_NOT_SUPPORTED` where the platform does not say what there is (`capabilities.list`).
 *
 * @example
 * ```ts
 * const { semaphores, locks, memory } = list()
 * for (const { name, key, value } of semaphores) console.log(name ?? key, value)
 * for (const { name, processes } of locks) console.log(name, processes)
 * for (const { name, key, size } of memory) console.log(name ?? key, size)
 * ```
 */
export function list(): Listing {
  // `Array.from`: arrays of the addon are of the main context, and a test of Jest runs in another one.
  return {
    semaphores: Array.from(checked(native.listSemaphores()), semaphoreInfo),
    locks: Array.from(checked(native.listLocks()), listedLock),
    memory: Array.from(checked(native.listSegments()), sharedMemoryInfo),
  }
}
