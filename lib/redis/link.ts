import { once } from 'node:events'

import type { Redis as IoRedis } from 'ioredis'

import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { IpcError } from '../errors.js'
import { rejected } from '../promises.js'
import { followsFailovers, type RedisClient, statusOf } from './client.js'
import { isFinal, isReadOnly, messageOf } from './failures.js'
import { Redis } from './peers.js'
import { redisAddress } from './url.js'

/** How commands get to Redis. */
export interface Link {
  readonly client: RedisClient
  /** The number of connections so far. Facts about the server of one connection need not hold for the next one. */
  readonly epoch: number
  /** Whether the client finds another server by itself when the one it asks fails (Cluster, Sentinel). */
  readonly follows: boolean
  /** Resolves when commands can be sent; `undefined` when they can. */
  ready(): Promise<void> | undefined
  /** Counts the calls that wait for an answer: +1 when one begins to wait, -1 when it has the answer. */
  use(change: 1 | -1): void
  /** Calls `listener` whenever a connection broke or was made, until the function that this returns is called. */
  onChange(listener: () => void): () => void
  /** Tells the link the reply of Redis to a failed command: the connection may lead to the wrong server. */
  failed(error: unknown): void
  /** The reason why a question has had no answer for this many milliseconds. */
  silence(milliseconds: number): unknown
  /** Ends the link: no command will be sent any more. */
  end(): Promise<void>
}

/** The most milliseconds that a connection may take to open, and to close. */
const CONNECT_WITHIN = 5_000
const QUIT_WITHIN = 1_000

/**
 * A connection that this package makes when it is first needed, and again when it is needed after it broke.
 *
 * ioredis does not reconnect by itself here: its timers would keep an idle process alive, and its queue would send
 * commands too late. The connection keeps the process alive only while a call waits for an answer.
 */
export class OwnLink implements Link {
  readonly client: IoRedis & RedisClient
  readonly follows = false
  epoch = 0
  #connecting: Promise<void> | undefined
  #trouble: unknown
  #users = 0
  #ended = false
  readonly #silence: number
  /** The time of the last answer, or of the first question after a time without questions. */
  #heard = 0
  #watch: NodeJS.Timeout | undefined
  readonly #listeners = new Set<() => void>()

  /** @param silence - Milliseconds without an answer after which the connection counts as broken. */
  constructor(url: string, silence: number) {
    this.client = open(url)
    this.#silence = silence
    this.client.on('error', error => {
      this.#trouble = error
    })
    this.client.on('ready', () => {
      this.epoch += 1
      this.#tell()
    })
    this.client.on('close', () => {
      if (!this.#ended) this.#tell()
    })
    this.client.on('connect', () => this.#keepAlive())
  }

  ready(): Promise<void> | undefined {
    if (this.client.status === 'ready') return undefined
    // A try in the background must not open it again.
    if (this.#ended) return rejected(new IpcError('ERR_CLOSED', 'the connection to Redis is closed'))
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = undefined
    })
    return this.#connecting
  }

  use(change: 1 | -1): void {
    const before = this.#users
    this.#users += change
    if (before > 0 && this.#users > 0 && change === 1) return
    this.#heard = performance.now()
    if (before > 0 && this.#users > 0) return
    this.#keepAlive()
    if (this.#users > 0) this.#watch ??= this.#watchFor(this.#silence)
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** A master that became a replica keeps its connections. A new connection leads to the server that has the address then. */
  failed(error: unknown): void {
    if (isReadOnly(error) && this.client.status === 'ready') this.client.disconnect()
  }

  silence(milliseconds: number): unknown {
    if (this.client.status === 'ready') return noAnswer(milliseconds)
    return this.#trouble ?? notConnected(milliseconds, this.client.status)
  }

  #tell(): void {
    for (const listener of this.#listeners) listener()
  }

  async end(): Promise<void> {
    this.#ended = true
    if (this.client.status === 'ready') {
      this.use(+1)
      const late = new AbortController()
      await Promise.race([this.client.quit().catch(() => {}), pause(QUIT_WITHIN, late.signal)])
      late.abort()
      this.use(-1)
    }
    if (this.client.status !== 'end') this.client.disconnect()
  }

  async #connect(): Promise<void> {
    this.#trouble = undefined
    try {
      await this.client.connect()
    } catch (error) {
      // This error reports only that the connection was closed. The event had the reason.
      throw this.#trouble ?? error
    }
    // If Redis refuses the database, ioredis emits an event and continues in database 0, which has other permits.
    if (isFinal(this.#trouble)) {
      const refused = this.#trouble
      await this.#disconnect()
      throw refused
    }
  }

  async #disconnect(): Promise<void> {
    const ended = once(this.client, 'end')
    this.client.disconnect()
    await ended
  }

  /**
   * Ends a connection that is silent for too long. The leases of its held permits are over by then (`lease.ts`). If it
   * ended earlier, Redis could run a command of the old connection after a later command of the new one, and date the
   * permit back. (ioredis could do this too, with a timer for every command.)
   */
  #watchFor(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#watch = undefined
      if (this.#users === 0) return
      const left = this.#silence - (performance.now() - this.#heard)
      if (left <= 0) this.client.stream?.destroy(new Error(`no answer within ${this.#silence} ms`))
      this.#watch = this.#watchFor(left > 0 ? Math.ceil(left) : this.#silence)
    }, milliseconds).unref()
  }

  #keepAlive(): void {
    const { stream } = this.client
    // A socket that connects keeps the process alive. ioredis keeps a closed socket until it has the next one, and each
    // call of `ref` or `unref` on a closed socket adds a listener.
    if (stream === undefined || stream.pending) return
    if (this.#users > 0) stream.ref()
    else stream.unref()
  }
}

/** A connection of the program, which opens and closes it. */
export class GivenLink implements Link {
  readonly client: RedisClient
  readonly follows: boolean
  readonly #connections: Connections

  constructor(client: RedisClient) {
    this.client = client
    this.follows = followsFailovers(client)
    this.#connections = counted.get(client) ?? new Connections(client)
    this.#connections.watch(+1)
  }

  get epoch(): number {
    return this.#connections.count
  }

  ready(): undefined {}

  use(): void {}

  onChange(listener: () => void): () => void {
    const { listeners } = this.#connections
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  failed(): void {}

  silence(milliseconds: number): unknown {
    const status = statusOf(this.client)
    if (status === undefined || status === 'ready') return noAnswer(milliseconds)
    return notConnected(milliseconds, status, this.#connections.trouble)
  }

  async end(): Promise<void> {
    this.#connections.watch(-1)
  }
}

/** The events of a Cluster. It is ready once, even if its nodes fail later. */
const NODE_CHANGES = ['+node', '-node'] as const

/**
 * Counts the connections of a client, with one listener for any number of links: Node warns of more than ten listeners.
 *
 * It does not listen to `error`: with a listener, ioredis would no longer report errors that the client's owner does not
 * handle.
 */
class Connections {
  count = 1
  /** The error of a node of a Cluster. */
  trouble: unknown
  readonly listeners = new Set<() => void>()
  readonly #client: RedisClient
  #watchers = 0
  readonly #onReady = (): void => {
    this.count += 1
    this.trouble = undefined
    this.#onChange()
  }
  readonly #onChange = (): void => {
    for (const listener of this.listeners) listener()
  }
  readonly #onNodeError = (error: unknown): void => {
    // After the error of the system comes an error that reports only that the connection is closed.
    if (this.trouble === undefined || (error as NodeJS.ErrnoException).code !== undefined)
      this.trouble = error
  }

  constructor(client: RedisClient) {
    this.#client = client
    counted.set(client, this)
  }

  watch(change: 1 | -1): void {
    this.#watchers += change
    if (change === 1 && this.#watchers === 1) this.#listen('on')
    if (this.#watchers > 0) return
    this.#listen('off')
    counted.delete(this.#client) // what comes now is not counted
  }

  #listen(how: 'on' | 'off'): void {
    this.#client[how]('ready', this.#onReady)
    if (!followsFailovers(this.#client)) return
    const client = this.#client as unknown as NodeJS.EventEmitter
    for (const event of NODE_CHANGES) client[how](event, this.#onChange)
    client[how]('node error', this.#onNodeError)
  }
}

const counted = new WeakMap<RedisClient, Connections>()

function open(url: string): IoRedis & RedisClient {
  return new Redis({
    ...redisAddress(url),
    lazyConnect: true,
    retryStrategy: null,
    connectTimeout: CONNECT_WITHIN,
  })
}

function noAnswer(milliseconds: number): Error {
  return new Error(`Redis has not answered for ${Math.round(milliseconds)} ms`)
}

function notConnected(milliseconds: number, status: string, cause?: unknown): Error {
  const why = cause instanceof Error ? `: ${messageOf(cause)}` : ''
  return new Error(
    `there has been no connection to Redis for ${Math.round(milliseconds)} ms (${STATUS[status] ?? status})${why}`,
    cause === undefined ? undefined : { cause },
  )
}

/** The meaning of a status of ioredis. */
const STATUS: Readonly<Record<string, string>> = {
  connecting: 'check that a server answers at this address, and that both ends use TLS or neither does',
  connect: 'a server accepted the connection and does not answer',
  reconnecting: 'the last attempt failed, and the next one follows',
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}
