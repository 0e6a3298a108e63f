import { HostLockManager } from './manager.js'
import type { LockManager } from './types.js'

/**
 * `navigator.locks` for all processes of a user on this host: {@link https://w3c.github.io/web-locks/ Web Locks}.
 *
 * A lock exists while somebody uses it. When its holder dies, `kill -9` included, the next one in line has it.
 *
 * @example
 * ```ts
 * await locks.request('cache', { mode: 'shared' }, async () => {
 *   // others may read as well, and nobody has it exclusively
 * })
 * const done = await locks.request('nightly', { ifAvailable: true }, async lock => {
 *   if (lock === null) return false // another process is at it
 *   return true
 * })
 * ```
 */
export const locks: LockManager = new HostLockManager()
