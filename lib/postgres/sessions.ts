import { withResolvers } from '../promises.js'
import { closed, unavailable } from './failures.js'
import { type OpenClient, openSession } from './connect.js'
import type { Settings } from './options.js'
import type { Session } from './session.js'

/** The milliseconds that an unused session stays connected. */
const IDLE_FOR = 10_000

/** The connections of one process: one that takes every free lock, and one for each wait. */
export class Sessions {
  readonly #open: OpenClient
  readonly #settings: Settings
  readonly #all = new Set<Session>()
  readonly #idle: Session[] = []
  readonly #line = new Set<() => void>()
  #opening = 0
  #main: Session | undefined
  #connecting: Promise<Session> | undefined
  #reaper: NodeJS.Timeout | undefined
  #isEnded = false
  #watchers = 0

  constructor(open: OpenClient, settings: Settings) {
    this.#open = open
    this.#settings = settings
  }

  /** The pids of the server's processes for this process. */
  get pids(): number[] {
    return [...this.#all].map(({ pid }) => pid)
  }

  /** The session for everything that does not wait, if it exists. */
  get current(): Session | undefined {
    return this.#main
  }

  /** Counts the waits that rely on the main session (+1): a wait needs it to notice that the server is gone. */
  watch(change: 1 | -1): void {
    this.#watchers += change
    this.#main?.watch(change)
  }

  /** The session for everything that does not wait. */
  async main(): Promise<Session> {
    if (this.#main !== undefined && this.#main.lost === undefined) return this.#main
    this.#connecting ??= this.#connectMain().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  async #connectMain(): Promise<Session> {
    const main = await this.#connect()
    this.#main = main
    main.watch(this.#watchers)
    return main
  }

  /** A session to wait with, or `undefined` if there is no room for one. */
  async waiter(): Promise<Session | undefined> {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.lost === undefined) return idle
    }
    // One place is for the main session, connected or not.
    const hasMain = this.#main !== undefined && this.#all.has(this.#main)
    const others = this.#all.size - (hasMain ? 1 : 0)
    if (others + this.#opening >= this.#settings.maxConnections - 1) return undefined
    this.#opening += 1
    try {
      return await this.#connect()
    } finally {
      this.#opening -= 1
    }
  }

  /** Resolves when a session may be free, or after this many milliseconds. `cancel` ends it early. */
  inLine(milliseconds: number): { readonly done: Promise<void>; cancel(): void } {
    const { promise, resolve } = withResolvers<void>()
    const done = () => {
      clearTimeout(timer)
      this.#line.delete(done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    this.#line.add(done)
    return { done: promise, cancel: done }
  }

  /** Takes back a session that holds no lock and runs no statement. */
  giveBack(session: Session): void {
    if (session === this.#main) return
    if (session.lost === undefined) {
      if (this.#isEnded) void session.end()
      else this.#idle.push(session)
    }
    this.#callNext()
    this.#reaper ??= setTimeout(() => this.#reap(), IDLE_FOR).unref()
  }

  /** Ends every connection. */
  async end(): Promise<void> {
    this.#isEnded = true
    clearTimeout(this.#reaper)
    await this.#connecting?.catch(() => {})
    await Promise.all([...this.#all].map(session => session.end()))
  }

  async #connect(): Promise<Session> {
    if (this.#isEnded) throw closed()
    const session = await openSession(this.#open, this.#settings)
    this.#all.add(session)
    session.onLost = () => {
      this.#all.delete(session)
      if (session === this.#main && session.isSilent) this.#loseWaits()
      this.#callNext()
    }
    if (session.lost !== undefined) this.#all.delete(session)
    if (this.#isEnded) {
      await session.end()
      throw closed()
    }
    return session
  }

  /** Ends the sessions that wait: the server does not answer, and they cannot ask it. Their waits start anew. */
  #loseWaits(): void {
    for (const session of [...this.#all]) {
      if (session.holds.size === 0) session.lose(unavailable('the server did not answer'))
    }
  }

  #callNext(): void {
    const next = this.#line.values().next().value
    next?.()
  }

  #reap(): void {
    this.#reaper = undefined
    // The session used last stays for the next wait; the others end one by one.
    const spare = this.#idle.shift()
    void spare?.end()
    if (this.#idle.length > 0) this.#reaper = setTimeout(() => this.#reap(), IDLE_FOR).unref()
  }
}
