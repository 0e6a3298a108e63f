import { HostLockManager } from './manager.js'
import type { HostLocks } from './types.js'

/**
 * `navigator.locks` for all processes of a user on this host: {@link https://w3c.github.io/web-locks/ Web Locks}.
 *
 * A lock exists while a process uses it. When its holder dies, also by `kill -9`, the next waiter gets the lock.
 *
 * @example
 * ```ts
 * await locks.request('cache', { mode: 'shared' }, async () => {
 *   // other sharing holders may be here as well, but no exclusive holder
 * })
 * const done = await locks.request('nightly', { ifAvailable: true }, async lock => {
 *   if (lock === null) return false // another process holds the lock
 *   return true
 * })
 * ```
 */
export const locks: HostLocks = new HostLockManager()
