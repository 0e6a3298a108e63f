import type { LockOptions } from 'redis-semaphore'

import { performance, setTimeout } from '../waiting/clock.js'
import type { IpcError } from '../errors.js'
import { keyPrefixOf } from './client.js'
import { asIpcError, isFinal, unavailable } from './failures.js'
import { type Instant, Lease, now } from '../lease/lease.js'
import type { Link } from './link.js'
import type { Settings } from './options.js'
import { LibrarySemaphore } from './peers.js'
import type { Server } from './server.js'

/** What the library puts before its keys, and we before our names, so that nobody else's key is meant. */
const LIBRARY_PREFIX = 'semaphore:'
const OUR_PREFIX = 'os-ipc:'

/** How the tries to give back follow each other while Redis is away. */
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1_000

/** The key of the entries of a name, before the client's own prefix. */
export function entriesKey(name: string): string {
  return `${LIBRARY_PREFIX}${OUR_PREFIX}${name}`
}

/** The library's object of one permit. */
type Holder = InstanceType<typeof LibrarySemaphore>

/** Where the permits of a name are: a sorted set in Redis, with an entry for each permit that is held. */
export class Entries {
  readonly link: Link
  readonly server: Server
  readonly settings: Settings
  readonly label: string
  readonly #name: string
  readonly #once: LockOptions

  constructor(link: Link, server: Server, settings: Settings, name: string) {
    this.link = link
    this.server = server
    this.settings = settings
    this.label = `'${name}'`
    this.#name = `${OUR_PREFIX}${name}`
    this.#once = {
      lockTimeout: settings.lease,
      // With its own retries it would ask for ever in a fixed rhythm, and not at all when the connection fails.
      acquireAttemptsLimit: 1,
      acquireTimeout: Number.POSITIVE_INFINITY,
      retryInterval: 0,
      // Where its own refresh fails, the rejection is nobody's, and ends the process; and so does its default here.
      refreshInterval: 0,
      onLockLost: () => {},
    }
  }

  /** The key as a command has it: the client puts its own prefix before it. */
  get #key(): string {
    return entriesKey(this.#name.slice(OUR_PREFIX.length))
  }

  /** The key as Redis has it. */
  get key(): string {
    return `${keyPrefixOf(this.link.client)}${this.#key}`
  }

  /** Makes an entry if there is room now; `undefined` when there is none. One round trip. */
  async take(): Promise<Entry | undefined> {
    const reached = this.#reach()
    if (reached !== undefined) await reached
    const { epoch } = this.link
    const start = now()
    const holder = this.#holder(this.#once)
    this.link.use(+1)
    try {
      if (!(await holder.tryAcquire())) return undefined
    } catch (error) {
      // The answer was lost, perhaps not the question.
      void new Entry(this, this.#existing(holder.identifier), start).giveBack()
      throw this.#failed(error)
    } finally {
      this.link.use(-1)
    }
    const entry = new Entry(this, holder, start)
    const same = this.server.isSame()
    if (same !== undefined) await this.#confirm(entry, same)
    if (entry.lease.left() > 0 && this.link.epoch === epoch) return entry
    void entry.giveBack()
    throw unavailable(this.label, 'its answer came too late, or over a connection that broke meanwhile')
  }

  /** Gives an entry back that another server made than the one that was looked at. */
  async #confirm(entry: Entry, same: Promise<boolean>): Promise<void> {
    try {
      if (await this.#ask(() => same)) return
    } catch (error) {
      void entry.giveBack()
      throw error
    }
    void entry.giveBack()
    throw unavailable(this.label, 'another server has its permits now')
  }

  /** Dates an entry anew; false when it is not there any more. */
  async keep({ identifier }: Holder): Promise<boolean> {
    const connected = this.link.ready()
    if (connected !== undefined || this.server.inTime() !== undefined) {
      await this.#reachLater(connected, () => this.server.inTime())
    }
    return this.#ask(() => this.#existing(identifier).tryAcquire())
  }

  /** Takes an entry away, there or not. While it connects, too, the process stays: a release would never end otherwise. */
  remove(holder: Holder): Promise<void> {
    const connected = this.link.ready()
    return this.#ask(
      connected === undefined ? () => holder.release() : () => connected.then(() => holder.release()),
    )
  }

  /** How many entries there are whose lease is not over. */
  async count(): Promise<number> {
    const reached = this.#reach()
    if (reached !== undefined) await reached
    return this.#ask(async () => {
      const since = `(${Date.now() - this.settings.lease}`
      const answer = await this.link.client.zcount(this.#key, since, '+inf')
      // A client with the option stringNumbers answers with text.
      if (/^\d+$/.test(typeof answer === 'number' ? `${answer}` : typeof answer === 'string' ? answer : '')) {
        return Number(answer)
      }
      throw unavailable(this.label, 'its answer to ZCOUNT is no number: is the client in a transaction?')
    })
  }

  /** Whether the process stays alive is for the answer to say, from now until it is here. */
  async #ask<T>(command: () => Promise<T>): Promise<T> {
    this.link.use(+1)
    try {
      return await command()
    } catch (error) {
      throw this.#failed(error)
    } finally {
      this.link.use(-1)
    }
  }

  #failed(error: unknown): IpcError {
    this.link.failed(error)
    return asIpcError(this.label, error)
  }

  /** Resolves when Redis can be asked and relied on; `undefined` when it can, so that nobody waits for nothing. */
  #reach(): Promise<void> | undefined {
    const connected = this.link.ready()
    if (connected === undefined) {
      const trusted = this.server.trusted()
      if (trusted === undefined) return undefined
    }
    return this.#reachLater(connected, () => this.server.trusted())
  }

  async #reachLater(
    connected: Promise<void> | undefined,
    trusted: () => Promise<void> | undefined,
  ): Promise<void> {
    this.link.use(+1)
    try {
      await connected
      // Again where the connection, or our clock, was another one by the end of the look.
      for (let look = trusted(); look !== undefined; look = trusted()) await look
    } catch (error) {
      throw asIpcError(this.label, error)
    } finally {
      this.link.use(-1)
    }
  }

  /** The library's object for an entry that was made before. */
  #existing(identifier: string): Holder {
    return this.#holder({ ...this.#once, identifier, acquiredExternally: true })
  }

  /** One object of the library, one holder: what is acquired twice on one of them counts once. */
  #holder(options: LockOptions): Holder {
    // It says that it wants `get` and `set` too, for its mutexes.
    const client = this.link.client as unknown as ConstructorParameters<typeof LibrarySemaphore>[0]
    return new LibrarySemaphore(client, this.#name, this.settings.permits, options)
  }
}

/** One permit's entry. */
export class Entry {
  readonly lease: Lease
  readonly #entries: Entries
  readonly #holder: Holder
  /** When it was last dated, as far as we know. */
  #dated: Instant

  constructor(entries: Entries, holder: Holder, start: Instant) {
    this.#entries = entries
    this.#holder = holder
    this.#dated = start
    this.lease = new Lease(entries.settings.lease, start)
  }

  /** Calls back when the connection broke or was made; the function that it returns ends that. */
  onChange(listener: () => void): () => void {
    return this.#entries.link.onChange(listener)
  }

  /** Extends the lease; false when it is lost. */
  async keep(): Promise<boolean> {
    const start = now()
    this.#dated = start
    return (await this.#entries.keep(this.#holder)) && this.lease.renew(start)
  }

  /** Resolves when it is gone, or when the first try failed: the next ones go on until its lease is over. */
  giveBack(): Promise<void> {
    return this.#entries.remove(this.#holder).catch(error => {
      if (!isFinal(error)) void this.#keepTrying()
    })
  }

  async #keepTrying(): Promise<void> {
    let pause = FIRST_PAUSE
    do {
      await new Promise<void>(resolve => {
        setTimeout(resolve, pause).unref()
      })
      pause = Math.min(pause * 2, LONGEST_PAUSE)
    } while (performance.now() < this.#end && !(await this.#tryToRemove()))
  }

  /** It is done with when it is gone, and when another try is of no use: the connection is closed for good, say. */
  async #tryToRemove(): Promise<boolean> {
    try {
      await this.#entries.remove(this.#holder)
      return true
    } catch (error) {
      return isFinal(error)
    }
  }

  get #end(): number {
    return this.#dated.steady + this.lease.length
  }
}
