import type { NativeLockRequest } from '../../native.cjs'
import { checked, fromNative } from '../errors.js'
import { hadNoTimeForLock, lockedAtOnce, lockedSince, unlocked } from '../diagnostics/locks.js'
import { inspectable } from '../inspect.js'
import { lockTimedOut } from './timed-out.js'
import { detached } from '../misuse.js'
import { checkRequest, type LockRequest } from './request.js'
import type {
  HostLock,
  HostLockGrantedCallback,
  HostLocks,
  LockInfo,
  LockManagerSnapshot,
  LockMode,
  LockOptions,
} from './types.js'
import { threadId } from '../waiting/main-thread.js'
import { PendingLock } from './pending.js'
import { native } from '../addon/native.js'
import { evaluation, settleNow } from '../waiting/settling.js'

const { defineProperty } = Object

/** A lock that is held. */
class HeldLock implements HostLock {
  readonly #name: string
  readonly #mode: LockMode
  #signal: AbortSignal | undefined

  static {
    // As in the DOM: the class is `Lock`, and its attributes are enumerable.
    defineProperty(this, 'name', { __proto__: null, value: 'Lock', configurable: true } as PropertyDescriptor)
    const enumerable = { __proto__: null, enumerable: true } as PropertyDescriptor
    for (const attribute of ['name', 'mode']) defineProperty(this.prototype, attribute, enumerable)
    inspectable(this, ({ name, mode }) => ({ name, mode }))
  }

  constructor({ name, mode }: LockRequest) {
    this.#name = name
    this.#mode = mode
  }

  get name(): string {
    return this.#name
  }

  get mode(): LockMode {
    return this.#mode
  }

  /** Never aborts. Each lock has its own signal, made on the first read: on a shared one, the listeners of all locks would pile up. */
  get signal(): AbortSignal {
    this.#signal ??= new AbortController().signal
    return this.#signal
  }

  get fence(): undefined {
    return undefined
  }

  get [Symbol.toStringTag](): string {
    return 'Lock'
  }
}

/** The locks of this host. The locks of two folders, or of a folder and the platform, are independent of each other. */
export class HostLockManager implements HostLocks {
  /** The folder of the lock files; `undefined` for the locks of the platform. */
  readonly #folder: string | undefined

  static {
    const named = { __proto__: null, value: 'LockManager', configurable: true } as PropertyDescriptor
    defineProperty(this, 'name', named)
  }

  constructor(folder?: string) {
    this.#folder = folder
  }

  /** The folder of the locks on which `method` was called. */
  static #of(locks: HostLockManager, method: string): string | undefined {
    try {
      return locks.#folder
    } catch {
      throw detached('locks', method)
    }
  }

  request<T>(name: string, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>
  request<T>(name: string, options: LockOptions, callback: HostLockGrantedCallback<T>): Promise<Awaited<T>>
  async request(...args: readonly unknown[]): Promise<unknown> {
    const folder = HostLockManager.#of(this, 'request')
    const request = checkRequest(args)
    const { signal, callback } = request
    if (signal?.aborted) throw signal.reason
    const handle = await this.#take(request, folder)
    if (handle === undefined) return await callback(null)
    let since: number | undefined
    try {
      since = lockedSince()
      // The signal may have aborted after the grant and before this point: the callback has not run, and must not run.
      if (signal?.aborted) throw signal.reason
      return await callback(new HeldLock(request))
    } finally {
      checked(native.lockEnd(handle))
      unlocked(request, since)
      // First the requests that now have the lock run their callbacks; then the caller learns that this request has ended.
      settleNow()
    }
  }

  /** The handle of the lock, or a promise of it; `undefined` when the lock is not available at once. */
  #take(request: LockRequest, folder: string | undefined): Promise<number> | number | undefined {
    const { name, mode, ifAvailable, timeout } = request
    const shared = mode === 'shared'
    const { session } = evaluation
    const asked = native.lockRequest(session, folder, name, shared, ifAvailable || timeout === 0, threadId)
    if (typeof asked === 'string') throw fromNative(asked)
    const { handle, held, ticket } = asked
    if (held) {
      try {
        lockedAtOnce(request)
      } catch {} // The stack has no room to notify subscribers. The lock is held all the same.
      return handle
    }
    if (ticket === undefined) {
      native.lockEnd(handle)
      if (ifAvailable) return undefined
      const error = lockTimedOut(name, folder)
      hadNoTimeForLock(request, error)
      throw error
    }
    let pending: PendingLock | undefined
    try {
      pending = new PendingLock(handle, ticket, request, () => lockTimedOut(name, folder))
      pending.begin()
    } catch (error) {
      // The call of the addon comes first: the stack may have no room for a function of this package.
      native.lockEnd(handle)
      if (pending) pending.ended = true
      pending?.letGo()
      throw error
    }
    try {
      pending.began()
    } catch {} // As above.
    return pending.promise
  }

  async query(): Promise<LockManagerSnapshot> {
    // A copy: an array of the addon belongs to the main context, and a test of Jest runs in another one.
    const requests = [...checked(native.lockRequests(HostLockManager.#of(this, 'query')))]
    const described = (held: boolean) => requests.filter(request => request.held === held).map(describe)
    return { held: described(true), pending: described(false) }
  }

  get [Symbol.toStringTag](): string {
    return 'LockManager'
  }
}

function describe({ name, shared, pid, client }: NativeLockRequest): LockInfo {
  const clientId = pid === undefined ? 'unknown' : `node-${pid}`
  const info: LockInfo = { name, mode: shared ? 'shared' : 'exclusive', clientId, pid }
  if (client !== undefined) info.threadId = client
  return info
}
