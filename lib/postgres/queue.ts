import type { LockMode } from '../lock/types.js'
import { asIpcError, isFinal, timedOut } from './failures.js'
import { Grant } from './grant.js'
import { Hold } from './hold.js'
import { IS_OURS, KEY } from './key.js'
import { Pending, type Wanted } from './pending.js'
import { ServerWait } from './server-wait.js'
import type { Session } from './session.js'
import type { Shared } from './shared.js'

/** The first pause, in milliseconds, while the server cannot be reached; each pause is twice as long as the one before. */
const FIRST_PAUSE = 25
const LONGEST_PAUSE = 1_000

/** The first time, in milliseconds, that a wait spends in line for a connection until it tries again without one. */
const FIRST_LOOK = 50

/**
 * The requests of this process for one lock, in their order.
 *
 * A session does not conflict with itself, so this queue keeps the order of this process's own requests. Only the first
 * request that no other one of this process blocks asks the server: it tries the lock and, if it is not free, waits there.
 */
export class NameQueue {
  readonly name: string
  readonly key: bigint
  readonly holds = new Set<Hold>()
  readonly pending = new Set<Pending>()
  /** The wait in the server's order, for the first request. */
  wait: ServerWait | undefined
  readonly #shared: Shared
  #isAsking = false
  #isWaiting = false
  /** Ends a pause early. */
  #wake: (() => void) | undefined
  #trouble: unknown

  constructor(name: string, key: bigint, shared: Shared) {
    this.name = name
    this.key = key
    this.#shared = shared
  }

  get first(): Pending | undefined {
    return this.pending.values().next().value
  }

  /** Requests the lock. */
  add(wanted: Wanted, outer: Grant | undefined): Pending {
    const pending = new Pending(
      wanted,
      this.#shared.nextOrder(),
      outer,
      ended => this.#onEnd(ended),
      () => timedOut(this.name, this.#trouble),
    )
    this.pending.add(pending)
    this.#pump()
    return pending
  }

  /** Requests the lock without a wait: the lock is granted if it is free, however long the server takes to answer. */
  async tryOnce(wanted: Omit<Wanted, 'timeout'>, outer: Grant | undefined): Promise<Grant | undefined> {
    let trouble: unknown
    const grant = await this.add({ ...wanted, ifAvailable: true, timeout: undefined }, outer).granted.catch(
      error => {
        if (error?.code !== 'ERR_UNAVAILABLE' || wanted.ifAvailable) throw error
        trouble = error
      },
    )
    if (grant === undefined && !wanted.ifAvailable) throw timedOut(this.name, trouble)
    return grant ?? undefined
  }

  /** The callback of a grant is done. Resolves when the lock is free, or when other requests of this process still share it. */
  async end(grant: Grant): Promise<void> {
    const { hold } = grant
    grant.end()
    if (hold.grants.size === 0 && !hold.ending) {
      await hold.giveBack()
      this.holds.delete(hold)
      if (hold.session !== this.#shared.sessions.current) this.#shared.sessions.giveBack(hold.session)
    }
    this.#pump()
  }

  /** Rejects every waiting request. */
  failAll(reason: unknown): void {
    for (const pending of [...this.pending]) pending.fail(reason)
  }

  #pump(): void {
    this.#answerIfAvailable()
    if (this.#isAsking) return
    const { first } = this
    if (first === undefined) {
      if (this.holds.size === 0) this.#shared.onIdle(this)
    } else if (this.#fits(first.mode)) void this.#ask()
  }

  #onEnd(ended: Pending): void {
    this.pending.delete(ended)
    if (this.wait !== undefined && !this.#wants(this.wait.mode)) this.wait.cancel()
    this.#wake?.()
    if (!this.#isAsking) this.#pump()
  }

  /** Whether the locks that this process holds leave room for one more. */
  #fits(mode: LockMode): boolean {
    for (const hold of this.holds) if (mode === 'exclusive' || hold.mode === 'exclusive') return false
    return true
  }

  /** Whether the first request still wants to wait for the lock in this mode. */
  #wants(mode: LockMode): boolean {
    const { first } = this
    return first !== undefined && !first.ifAvailable && first.mode === mode
  }

  /** Answers the requests that do not wait: the lock is not free. */
  #answerIfAvailable(): void {
    let { first } = this
    while (first?.ifAvailable && !this.#fits(first.mode)) {
      first.answer(undefined)
      first = this.first
    }
    if (first === undefined) return
    if (!this.#isWaiting && this.#fits(first.mode)) return
    for (const pending of [...this.pending]) {
      if (pending.ifAvailable && pending !== first) pending.answer(undefined)
    }
  }

  async #ask(): Promise<void> {
    this.#isAsking = true
    let failures = 0
    for (let { first } = this; first !== undefined && this.#fits(first.mode); first = this.first) {
      try {
        await this.#askFor(first)
        failures = 0
        this.#trouble = undefined
      } catch (error) {
        this.#isWaiting = false
        failures += 1
        await this.#onFailure(first, error, failures)
      }
      this.#answerIfAvailable()
    }
    this.#isAsking = false
    this.#pump()
  }

  async #onFailure(first: Pending, error: unknown, failures: number): Promise<void> {
    const failure = asIpcError(error)
    if (isFinal(failure)) return this.failAll(failure)
    this.#trouble = failure
    if (first.ifAvailable && this.pending.has(first)) return first.fail(failure)
    const pause = Math.min(FIRST_PAUSE * 2 ** Math.min(failures - 1, 10), LONGEST_PAUSE)
    await this.#pause(pause * (0.75 + Math.random() / 2))
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise(resolve => {
      const done = () => {
        clearTimeout(timer)
        this.#wake = undefined
        resolve()
      }
      const timer = setTimeout(done, milliseconds)
      this.#wake = done
    })
  }

  /** Makes one try, and then waits. */
  async #askFor(first: Pending): Promise<void> {
    const { mode } = first
    if (await this.#try(mode)) return
    if (first !== this.first) return
    if (first.ifAvailable) return first.answer(undefined)
    this.#isWaiting = true
    this.#answerIfAvailable()
    await this.#waitFor(mode)
    this.#isWaiting = false
  }

  /** Takes the lock if it is free, and grants it. */
  async #try(mode: LockMode): Promise<boolean> {
    const main = await this.#shared.sessions.main()
    if (this.first?.mode !== mode) return true
    const joined = this.#joinable()
    if (joined !== undefined) {
      // A session that shares the lock already would get it again, past the server's queue. So the queue must be checked.
      const fence = await this.#shared.fenceIfNobodyWaits(main, this.key)
      if (fence === undefined) return false
      if (this.#joinable() === joined) this.#grant(joined, fence)
      return true
    }
    const fence = await this.#take(main, mode)
    if (fence === null || fence === undefined) return false
    this.#grantNew(mode, main, Number(fence))
    return true
  }

  /** Takes the lock. A statement that fails may have taken it before: an error does not release it. */
  async #take(main: Session, mode: LockMode): Promise<unknown> {
    try {
      const [row] = await main.take(TRY[mode], `${this.key}`, this.name)
      return row?.[0]
    } catch (error) {
      if (main.lost === undefined) {
        await main.run(
          `select ${UNLOCK[mode]}($1::int8) where exists (select from pg_catalog.pg_locks l
             where ${IS_OURS} and ${KEY} = $1::int8 and l.pid = pg_catalog.pg_backend_pid())`,
          [`${this.key}`],
        )
      }
      throw error
    }
  }

  #joinable(): Hold | undefined {
    for (const hold of this.holds) if (hold.mode === 'shared' && !hold.ending) return hold
    return undefined
  }

  async #waitFor(mode: LockMode): Promise<void> {
    const session = await this.#sessionFor(mode)
    if (session === undefined) return
    const wait = new ServerWait(this.#shared.sessions, session, mode, this, this.#shared.heldBehind(this))
    this.wait = wait
    const lookNoMore = this.#shared.lookAfter(this)
    try {
      const fence = await wait.done
      if (fence !== undefined) this.#grantNew(mode, session, fence)
    } finally {
      this.wait = undefined
      lookNoMore()
    }
  }

  /** A session to wait with; `undefined` if the lock was granted meanwhile, or if no request wants it any more. */
  async #sessionFor(mode: LockMode): Promise<Session | undefined> {
    for (let pause = FIRST_LOOK; ; pause = Math.min(pause * 2, LONGEST_PAUSE)) {
      const { sessions } = this.#shared
      const session = await sessions.waiter()
      if (session !== undefined) {
        if (this.#wants(mode)) return session
        sessions.giveBack(session)
        return undefined
      }
      if (!this.#wants(mode)) return undefined
      const { done, cancel } = sessions.inLine(pause)
      this.#wake = cancel
      await done
      this.#wake = undefined
      if (!this.#wants(mode) || (await this.#try(mode))) return undefined
    }
  }

  /** Grants a new lock of the server to the first requests, or releases it. */
  #grantNew(mode: LockMode, session: Session, fence: number): void {
    const hold = new Hold(this, mode, session, fence, lost => {
      this.holds.delete(lost)
      if (!this.#isAsking) this.#pump()
    })
    if (this.first?.mode === mode && this.#fits(mode)) {
      this.holds.add(hold)
      this.#grant(hold, fence)
      return
    }
    this.holds.add(hold)
    void hold.giveBack().then(() => {
      this.holds.delete(hold)
      if (session !== this.#shared.sessions.current) this.#shared.sessions.giveBack(session)
      if (!this.#isAsking) this.#pump()
    })
  }

  /** Grants the first request, and those behind it that can share the lock. */
  #grant(hold: Hold, fence: number): void {
    for (let { first } = this; first?.mode === hold.mode; first = this.first) {
      first.answer(new Grant(hold, fence, first.order, first.outer))
      if (hold.mode === 'exclusive') return
    }
  }
}

const UNLOCK: Record<LockMode, string> = {
  exclusive: 'pg_catalog.pg_advisory_unlock',
  shared: 'pg_catalog.pg_advisory_unlock_shared',
}

const TRY: Record<LockMode, string> = {
  exclusive:
    'select case when pg_catalog.pg_try_advisory_lock($1) then pg_catalog.pg_current_xact_id()::text end',
  shared:
    'select case when pg_catalog.pg_try_advisory_lock_shared($1) then pg_catalog.pg_current_xact_id()::text end',
}
