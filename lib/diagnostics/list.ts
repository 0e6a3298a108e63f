import { checked } from '../errors.js'
import { channelsIn, type ListedChannel } from '../channel/listed.js'
import { type ListedLock, listedLock } from '../lock/listed.js'
import { limitInfo, type LimitInfo } from '../limit/info.js'
import { native } from '../addon/native.js'
import { semaphoreInfo, type SemaphoreInfo } from '../semaphore/info.js'
import { type SharedMemoryInfo, sharedMemoryInfo } from '../memory/info.js'

/** All objects on this host that this process may read. */
export interface Listing {
  readonly semaphores: SemaphoreInfo[]
  /** Limits. The set of semaphores of a limit is not among `semaphores`. */
  readonly limits: LimitInfo[]
  /** Locks. The set of semaphores of a lock is not among `semaphores`. */
  readonly locks: ListedLock[]
  /** Channels. The memory and the two semaphores of a channel are not among `memory` and `semaphores`. */
  readonly channels: ListedChannel[]
  readonly memory: SharedMemoryInfo[]
}

/**
 * Lists all objects on this host that this process may read, whichever program or language made them.
 *
 * @throws {IpcError} `ERR_NOT_SUPPORTED` where the platform cannot list its objects (`capabilities.list`).
 *
 * @example
 * ```ts
 * const { semaphores, limits, locks, channels, memory } = list()
 * for (const { name, key, value } of semaphores) console.log(name ?? key, value)
 * for (const { name, free, permits, holders } of limits) console.log(name, `${free}/${permits}`, holders)
 * for (const { name, processes } of locks) console.log(name, processes)
 * for (const { name, messages, receivers } of channels) console.log(name, messages, receivers)
 * for (const { name, key, size } of memory) console.log(name ?? key, size)
 * ```
 */
export function list(): Listing {
  // `Array.from`: arrays of the addon belong to the main context, and a test of Jest runs in another one.
  const segments = Array.from(checked(native.listSegments()), sharedMemoryInfo)
  const { channels, objects } = channelsIn(segments)
  const isSingle = ({ name }: { name: string | undefined }) => name === undefined || !objects.has(name)
  return {
    semaphores: Array.from(checked(native.listSemaphores()), semaphoreInfo).filter(isSingle),
    limits: Array.from(checked(native.listLimits()), limitInfo),
    locks: Array.from(checked(native.listLocks()), listedLock),
    channels,
    memory: segments.filter(isSingle),
  }
}
