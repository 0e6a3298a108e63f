import type { LockMode } from '../lock/types.js'
import { closed } from './failures.js'
import type { Session } from './session.js'
import type { Sessions } from './sessions.js'

/** The milliseconds after which a wait is cancelled again: the server ignores a cancellation that precedes its statement. */
const CANCEL_AGAIN = 20

const LOCK: Record<LockMode, string> = {
  exclusive: 'pg_catalog.pg_advisory_lock',
  shared: 'pg_catalog.pg_advisory_lock_shared',
}

/** A wait in the server's queue for a lock, in a session of its own. */
export class ServerWait {
  readonly mode: LockMode
  readonly session: Session
  /** Resolves with the fence when the lock is held; with `undefined` when the wait was cancelled and the session is free again. */
  readonly done: Promise<number | undefined>
  readonly #sessions: Sessions
  #isCancelled = false
  #ended = false
  #cancelling: Promise<void> | undefined

  constructor(
    sessions: Sessions,
    session: Session,
    mode: LockMode,
    { name, key }: { readonly name: string; readonly key: bigint },
    holds: Iterable<bigint>,
  ) {
    this.#sessions = sessions
    this.session = session
    this.mode = mode
    // The number must be assigned after the grant: a plain function call in the same statement could be evaluated before it.
    const text = `with granted as materialized (select ${LOCK[mode]}($1::int8)::text)
      select pg_catalog.pg_current_xact_id()::text from granted`
    this.done = this.#settle(session.run(text, [`${key}`], [name], holds))
  }

  /** Cancels the wait: no request wants the lock any more. */
  cancel(): void {
    if (this.#isCancelled || this.#ended) return
    this.#isCancelled = true
    this.#cancelling = this.#cancel()
  }

  async #settle(granted: Promise<(readonly unknown[])[]>): Promise<number | undefined> {
    try {
      const [row] = await granted
      this.#ended = true
      if (!this.#isCancelled) return Number(row?.[0])
    } catch (error) {
      this.#ended = true
      await this.#giveBack()
      if (this.#isCancelled) return undefined
      throw error
    }
    // The lock was granted at the moment of the cancellation.
    await this.#giveBack()
    return undefined
  }

  /** Releases the lock. A statement that failed may have taken it before: an error does not release it. */
  async #giveBack(): Promise<void> {
    // A cancellation that is under way would cancel the next statement of the session.
    await this.#cancelling
    if (this.session.lost === undefined) {
      try {
        await this.session.run('select pg_catalog.pg_advisory_unlock_all()')
      } catch (error) {
        this.session.lose(error)
      }
    }
    this.#sessions.giveBack(this.session)
  }

  async #cancel(): Promise<void> {
    while (!this.#ended) {
      try {
        const main = await this.#sessions.main()
        if (this.#ended) return
        await main.run(`select pg_catalog.pg_cancel_backend(${this.session.pid})`)
      } catch {
        // The server notices the lost connection at its next check of it, at the latest.
        this.session.lose(closed())
      }
      if (!this.#ended) await new Promise(resolve => setTimeout(resolve, CANCEL_AGAIN))
    }
  }
}
