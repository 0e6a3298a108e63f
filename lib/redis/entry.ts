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

/** The library's prefix before its keys; os-ipc puts one before its names, to stay apart from the keys of others. */
const LIBRARY_PREFIX = 'semaphore:'
const OUR_PREFIX = 'os-ipc:'

/** The first pause between two tries to release while Redis is away, in milliseconds. */
const FIRST_PAUSE = 50
const LONGEST_PAUSE = 1_000

/** The key of the entries of a name, before the client's own prefix. */
export function entriesKey(name: string): string {
  return `${LIBRARY_PREFIX}${OUR_PREFIX}${name}`
}

/** The library's object for one permit. */
type Holder = InstanceType<typeof LibrarySemaphore>

/** The permits of a name: a sorted set in Redis, with an entry for each held permit. */
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
      // With its own retries the library would ask for ever in a fixed rhythm, and not at all when the connection fails.
      acquireAttemptsLimit: 1,
      acquireTimeout: Number.POSITIVE_INFINITY,
      retryInterval: 0,
      // If its own refresh fails, no code handles the rejection, and the process ends; so does its default here.
      refreshInterval: 0,
      onLockLost: () => {},
    }
  }

  /** The key for a command: the client puts its own prefix before it. */
  get #key(): string {
    return entriesKey(this.#name.slice(OUR_PREFIX.length))
  }

  /** The key in Redis. */
  get key(): string {
    return `${keyPrefixOf(this.link.client)}${this.#key}`
  }

  /** Makes an entry if there is room now; otherwise returns `undefined`. One round trip. */
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
      // The answer was lost, but Redis may have run the command.
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

  /** Removes an entry that was made on another server than the checked one. */
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

  /** Dates an entry anew; returns false when it does not exist any more. */
  async keep({ identifier }: Holder): Promise<boolean> {
    const connected = this.link.ready()
    if (connected !== undefined || this.server.inTime() !== undefined) {
      await this.#reachLater(connected, () => this.server.inTime())
    }
    return this.#ask(() => this.#existing(identifier).tryAcquire())
  }

  /** Removes an entry, if it exists. The process stays alive also while it connects: otherwise a release might never end. */
  remove(holder: Holder): Promise<void> {
    const connected = this.link.ready()
    return this.#ask(
      connected === undefined ? () => holder.release() : () => connected.then(() => holder.release()),
    )
  }

  /** The number of entries whose lease is not over. */
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
      throw unavailable(this.label, 'its answer to ZCOUNT is not a number: is the client in a transaction?')
    })
  }

  /** Asks Redis; from now until the answer, the question decides whether the process stays alive. */
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

  /** Resolves when Redis can be asked and relied on; returns `undefined` when it can now, so that no call waits for nothing. */
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
      // Again if the connection or the clock changed during the check.
      for (let look = trusted(); look !== undefined; look = trusted()) await look
    } catch (error) {
      throw asIpcError(this.label, error)
    } finally {
      this.link.use(-1)
    }
  }

  /** The library's object for an existing entry. */
  #existing(identifier: string): Holder {
    return this.#holder({ ...this.#once, identifier, acquiredExternally: true })
  }

  /** One object of the library for each holder: two acquires of one object count once. */
  #holder(options: LockOptions): Holder {
    // Its types also require `get` and `set`, which only its mutexes use.
    const client = this.link.client as unknown as ConstructorParameters<typeof LibrarySemaphore>[0]
    return new LibrarySemaphore(client, this.#name, this.settings.permits, options)
  }
}

/** The entry of one permit. */
export class Entry {
  readonly lease: Lease
  readonly #entries: Entries
  readonly #holder: Holder
  /** The time of its last date, as far as this process knows. */
  #dated: Instant

  constructor(entries: Entries, holder: Holder, start: Instant) {
    this.#entries = entries
    this.#holder = holder
    this.#dated = start
    this.lease = new Lease(entries.settings.lease, start)
  }

  /** Calls back when the connection broke or was made; the returned function ends that. */
  onChange(listener: () => void): () => void {
    return this.#entries.link.onChange(listener)
  }

  /** Extends the lease; returns false when it is lost. */
  async keep(): Promise<boolean> {
    const start = now()
    this.#dated = start
    return (await this.#entries.keep(this.#holder)) && this.lease.renew(start)
  }

  /** Resolves when the entry is gone, or when the first try failed: further tries follow until its lease is over. */
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

  /** Tries to remove it. It is done when the entry is gone, and when another try cannot succeed, for example on a closed connection. */
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
