import { type Instant, Lease, now } from '../lease/lease.js'
import { rejected, withResolvers } from '../promises.js'
import type { AnyClient } from './client.js'
import { asIpcError, endsSession, messageOf, unavailable } from './failures.js'
import type { Hold } from './hold.js'
import { comment } from './label.js'
import { PreparedTexts } from './prepared.js'

/** The longest silence of a session that holds locks, as a part of `deadAfter`; then it pings. */
const PING_EVERY = 1 / 3

/** The milliseconds until a session writes the names of its locks again, after a statement without them. */
const TELL_AFTER = 50

/** The most milliseconds that a connection may take to end. */
const END_WITHIN = 1_000

export type Row = readonly unknown[]

interface Statement {
  readonly text: string
  readonly values: string[]
  /** The name under which it is prepared, or `undefined`. */
  readonly prepared: string | undefined
  /** Whether its text contains the names of the held locks. */
  readonly tells: boolean
  readonly resolve: (rows: Row[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * A connection, and the locks that its session holds on the server.
 *
 * Statements run one after another. While it holds locks, a session gets an answer at least three times in `deadAfter`. A
 * session without an answer for nine tenths of that counts as lost, before the server can count this process as dead.
 */
export class Session {
  /** The pid of the server's process. */
  readonly pid: number
  readonly holds = new Set<Hold>()
  /** The reason of its loss; `undefined` while it lives. */
  lost: Error | undefined
  /** Whether it counts as lost because the server did not answer. */
  isSilent = false
  /** Called once, when the session is lost. */
  onLost: (() => void) | undefined
  readonly #client: AnyClient
  readonly #deadAfter: number
  readonly #queue: Statement[] = []
  readonly #prepared = new PreparedTexts()
  #running = false
  #isTold = true
  #watchers = 0
  #listeners = 0
  #lease: Lease
  #heard: Instant
  #timer: NodeJS.Timeout | undefined
  /** The time at which the timer fires. */
  #due = 0
  #ending = false

  constructor(client: AnyClient, pid: number, deadAfter: number) {
    this.#client = client
    this.pid = pid
    this.#deadAfter = deadAfter
    this.#heard = now()
    this.#lease = new Lease(deadAfter, this.#heard)
    // A time limit of the client itself would end a wait, and its place in the queue. This class checks whether the
    // server is there.
    if (client.connectionParameters?.query_timeout) client.connectionParameters.query_timeout = false
    client.on('error', error => this.lose(error))
    client.on('end', () => this.lose(new Error('the connection ended')))
    client.unref?.()
  }

  /** Runs a statement whose text begins with the names of the held locks, `wanted` first. */
  run(text: string, values: string[] = [], wanted: readonly string[] = [], holds?: Iterable<bigint>) {
    const names = [...wanted, ...this.#names(wanted.length)]
    return this.#enqueue(`${comment(names, holds)}${text}`, values, undefined, true)
  }

  /** Runs a statement that takes a lock. Its text recurs, and is prepared when it recurs often. */
  take(text: string, value: string, name: string): Promise<Row[]> {
    const whole = `${comment([name, ...this.#names(1)])}${text}`
    return this.#enqueue(whole, [value], this.#prepared.nameOfFrequent(whole), true)
  }

  /** Runs a statement that stays prepared; its text contains no lock's name. */
  runPrepared(text: string, values: string[]): Promise<Row[]> {
    return this.#enqueue(text, values, this.#prepared.nameOf(text), false)
  }

  /** Counts the waits that rely on this session without a lock (+1): the session must notice the loss of the server. */
  watch(change: number): void {
    if (!this.#isWatched) this.#startLease(now())
    this.#watchers += change
    this.#arm()
  }

  /**
   * Counts listeners for the loss of a lock (+1). The listeners must get the event, so the connection keeps the process
   * alive.
   */
  keepAlive(change: 1 | -1): void {
    this.#listeners += change
    if (this.#running || this.lost !== undefined) return
    if (this.#listeners > 0) this.#client.ref?.()
    else this.#client.unref?.()
  }

  /** Adds a lock that was taken by a statement sent at `since`, the value of {@link heard} at that time. */
  add(hold: Hold): void {
    this.holds.add(hold)
    this.#arm()
  }

  remove(hold: Hold): void {
    this.holds.delete(hold)
    if (this.holds.size === 0) this.#isTold = true
    else this.#arm()
  }

  /** Declares the session lost if it is time. */
  check(): void {
    if (this.lost === undefined && this.#isWatched && this.#lease.left() === 0) {
      this.isSilent = true
      this.lose(new Error(`the server did not answer for ${this.#deadAfter * 0.9} ms`))
    }
  }

  /** Marks the session as lost, with every lock that it held. */
  lose(cause: unknown): void {
    if (this.lost !== undefined) return
    this.lost = this.#ending ? unavailable('the connection is closed') : asIpcError(cause)
    clearTimeout(this.#timer)
    this.#destroy()
    for (const { reject } of this.#queue.splice(0)) reject(this.lost)
    for (const hold of [...this.holds]) hold.lose(messageOf(cause), cause)
    this.holds.clear()
    this.onLost?.()
  }

  /** Ends the connection; the server then releases its locks. */
  async end(): Promise<void> {
    if (this.lost !== undefined) return
    this.#ending = true
    clearTimeout(this.#timer)
    const { release, end } = this.#client
    if (release !== undefined) release.call(this.#client, true)
    else if (end !== undefined) {
      const late = withResolvers<void>()
      const timer = setTimeout(late.resolve, END_WITHIN)
      this.#client.ref?.()
      await Promise.race([end.call(this.#client).catch(() => {}), late.promise])
      clearTimeout(timer)
    }
    this.lose(undefined)
  }

  get #isWatched(): boolean {
    return this.holds.size > 0 || this.#watchers > 0
  }

  #enqueue(text: string, values: string[], prepared: string | undefined, tells: boolean): Promise<Row[]> {
    if (this.lost !== undefined) return rejected(this.lost)
    return new Promise((resolve, reject) => {
      this.#queue.push({ text, values, prepared, tells, resolve, reject })
      if (!this.#running) void this.#work()
    })
  }

  /** Runs the statements. The client has one at a time, because its own queue is deprecated. */
  async #work(): Promise<void> {
    this.#running = true
    this.#client.ref?.()
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { text, values, prepared, tells, resolve, reject } = next
      const sent = now()
      try {
        const query = { text, values, rowMode: 'array' as const }
        const answer = await this.#client.query(prepared ? { ...query, name: prepared } : query)
        if (!this.#hear(sent)) throw unavailable('its answer came too late')
        this.#isTold = tells || this.holds.size === 0
        resolve((answer as { rows: Row[] }).rows)
      } catch (error) {
        if (endsSession(error)) this.lose(error)
        else this.#hear(sent)
        reject(this.lost ?? error)
      }
    }
    this.#running = false
    if (this.lost !== undefined) return
    if (this.#listeners === 0) this.#client.unref?.()
    this.#arm()
  }

  /** Notes an answer to a statement sent at that time. Returns false if the session already counts as lost. */
  #hear(sent: Instant): boolean {
    if (this.lost !== undefined) return false
    if (!this.#isWatched) this.#startLease(sent)
    else if (this.#lease.renew(sent)) this.#heard = sent
    else this.check()
    return this.lost === undefined && this.#lease.left() > 0
  }

  #startLease(since: Instant): void {
    this.#heard = since
    this.#lease = new Lease(this.#deadAfter, since)
  }

  #names(from: number): string[] {
    const names: string[] = []
    // No more names than these fit into a comment.
    for (const { name } of this.holds) if (names.push(name) + from > 60) break
    return names
  }

  /**
   * Sets the timer for the next work: names to write, a ping, the end of the lease. A timer that fires too early is set again:
   * most locks are released before that, and a timer for each lock would take longer than everything else here.
   */
  #arm(): void {
    if (this.lost !== undefined || this.#ending || !this.#isWatched) return
    const left = this.#lease.left()
    const ping = this.#heard.steady + this.#deadAfter * PING_EVERY - performance.now()
    const quiet = this.#running ? Number.POSITIVE_INFINITY : this.#isTold ? ping : TELL_AFTER
    const delay = Math.ceil(Math.max(Math.min(left, quiet), 1))
    const due = performance.now() + delay
    if (this.#timer !== undefined) {
      if (this.#due <= due) return
      clearTimeout(this.#timer)
    }
    this.#due = due
    this.#timer = setTimeout(() => this.#tick(), delay).unref()
  }

  #tick(): void {
    this.#timer = undefined
    if (!this.#isWatched) return
    this.check()
    if (this.lost !== undefined) return
    const since = performance.now() - this.#heard.steady
    if (!this.#running && (!this.#isTold || since >= this.#deadAfter * PING_EVERY)) {
      this.#isTold = true
      this.run('select pg_catalog.pg_backend_pid()').then(
        ([row]) => {
          if (row?.[0] !== this.pid) this.lose(new Error('a pooler gave this connection another session'))
        },
        () => {},
      )
    }
    // Also while the ping is under way: the lease may end before the answer comes.
    this.#arm()
  }

  #destroy(): void {
    const { connection, release } = this.#client
    if (!this.#ending) {
      connection?.stream?.destroy?.()
      release?.call(this.#client, true)
    } else if (release === undefined) connection?.stream?.destroy?.()
  }
}
