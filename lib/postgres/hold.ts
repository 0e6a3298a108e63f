import type { LockMode } from '../lock/types.js'
import type { Grant } from './grant.js'
import type { Session } from './session.js'

/** A lock that a session holds on the server, for one request of this process or for several that share it. */
export class Hold {
  readonly name: string
  readonly key: bigint
  readonly mode: LockMode
  readonly session: Session
  readonly fence: number
  readonly grants = new Set<Grant>()
  /** Whether it is being released: no request may join it any more. */
  ending = false
  isLost = false
  readonly #onLost: (hold: Hold) => void

  constructor(
    { name, key }: { readonly name: string; readonly key: bigint },
    mode: LockMode,
    session: Session,
    fence: number,
    onLost: (hold: Hold) => void,
  ) {
    this.name = name
    this.key = key
    this.mode = mode
    this.session = session
    this.fence = fence
    this.#onLost = onLost
    session.add(this)
  }

  /** Marks it as lost: the server does not hold it any more, or will release it before this process can know of it. */
  lose(why: string, cause: unknown): void {
    if (this.isLost) return
    this.isLost = true
    for (const grant of this.grants) grant.lose(why, cause)
    this.#onLost(this)
  }

  /** Releases the lock. Where the server cannot be reached, the session ends, and the lock with it. */
  async giveBack(): Promise<void> {
    this.ending = true
    if (this.isLost) return
    const { session } = this
    try {
      const [row] = await session.runPrepared(UNLOCK[this.mode], [`${this.key}`])
      if (row?.[0] !== true) this.lose('its session did not hold it any more', undefined)
    } catch (error) {
      session.lose(error)
    }
    session.remove(this)
  }
}

const UNLOCK: Record<LockMode, string> = {
  exclusive: '/*os-ipc */select pg_catalog.pg_advisory_unlock($1)',
  shared: '/*os-ipc */select pg_catalog.pg_advisory_unlock_shared($1)',
}
