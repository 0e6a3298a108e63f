import { native } from './native.js'
import { semaphoreInfo, type SemaphoreInfo } from './semaphore-info.js'

/** Everything on this host that we may read. */
export interface Listing {
  readonly semaphores: SemaphoreInfo[]
}

/**
 * Everything on this host that we may read: ours, Go's, Python's and anybody's.
 *
 * @throws {IpcError} `ERR_NOT_SUPPORTED` where the platform does not say what there is (`capabilities.list`).
 *
 * @example
 * ```ts
 * for (const { name, key, value } of list().semaphores) console.log(name ?? key, value)
 * ```
 */
export function list(): Listing {
  return { semaphores: native.listSemaphores().map(semaphoreInfo) }
}
