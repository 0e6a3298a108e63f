import { once } from 'node:events'

import type { Redis as IoRedis } from 'ioredis'

import { clearTimeout, performance, setTimeout } from '../waiting/clock.js'
import { IpcError, wrongValue } from '../errors.js'
import type { RedisClient } from './client.js'
import { isFinal } from './failures.js'
import { Redis } from './peers.js'

/** How commands get to Redis. */
export interface Link {
  readonly client: RedisClient
  /** Counts connections: what was learned of the server on one says nothing of the next. */
  readonly epoch: number
  /** Resolves when commands can be sent; `undefined` when they can. */
  ready(): Promise<void> | undefined
  /** Something waits for an answer (+1), or has it (-1). */
  use(change: 1 | -1): void
  /** Nothing will be sent any more. */
  end(): Promise<void>
}

/** How long a connection may take to come, and to go. */
const CONNECT_WITHIN = 5_000
const QUIT_WITHIN = 1_000

/**
 * A connection of our own: made when it is first needed, and again when it is needed after it broke.
 *
 * ioredis keeps trying by itself only as long as it is told to, which is never here: its timers would keep an idle process
 * alive, and its queue would send commands long after they were meant. Only while something waits for an answer does the
 * connection keep the process alive.
 */
export class OwnLink implements Link {
  readonly client: IoRedis & RedisClient
  epoch = 0
  #connecting: Promise<void> | undefined
  #trouble: unknown
  #users = 0
  #ended = false
  readonly #silence: number
  /** When the last answer came, or the first question was asked after a rest. */
  #heard = 0
  #watch: NodeJS.Timeout | undefined

  /** @param silence - Milliseconds without an answer after which the connection counts as broken. */
  constructor(url: string, silence: number) {
    this.client = open(url)
    this.#silence = silence
    this.client.on('error', error => {
      this.#trouble = error
    })
    this.client.on('ready', () => {
      this.epoch += 1
    })
    this.client.on('connect', () => this.#keepAlive())
  }

  ready(): Promise<void> | undefined {
    if (this.client.status === 'ready') return undefined
    // What is tried in the background must not open it again.
    if (this.#ended) return Promise.reject(new IpcError('ERR_CLOSED', 'the connection to Redis is closed'))
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
      // It says that the connection was closed; why, the event said.
      throw this.#trouble ?? error
    }
    // A database that Redis refuses is an event, and then ioredis goes on in database 0, where other permits are.
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
   * Ends a connection that is silent for too long. A held permit is over by then (`lease.ts`): earlier, a command that still
   * lay in the old connection could be done after a later one of the new connection, and put an older date on the permit.
   * (ioredis could do it too, with a timer for every command.)
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
    // One that connects keeps the process alive; one that is gone, which ioredis keeps until the next is there, adds a
    // listener whenever it is told to.
    if (stream === undefined || stream.pending) return
    if (this.#users > 0) stream.ref()
    else stream.unref()
  }
}

/** A connection of somebody else, who opens and closes it. */
export class GivenLink implements Link {
  readonly client: RedisClient
  readonly #connections: Connections

  constructor(client: RedisClient) {
    this.client = client
    this.#connections = counted.get(client) ?? new Connections(client)
    this.#connections.watch(+1)
  }

  get epoch(): number {
    return this.#connections.count
  }

  ready(): undefined {}

  use(): void {}

  async end(): Promise<void> {
    this.#connections.watch(-1)
  }
}

/** Counts the connections of a client, for any number of links with one listener: more than ten would be a warning. */
class Connections {
  count = 1
  readonly #client: RedisClient
  #watchers = 0
  readonly #onReady = (): void => {
    this.count += 1
  }

  constructor(client: RedisClient) {
    this.#client = client
    counted.set(client, this)
  }

  watch(change: 1 | -1): void {
    this.#watchers += change
    if (change === 1 && this.#watchers === 1) this.#client.on('ready', this.#onReady)
    if (this.#watchers > 0) return
    this.#client.off('ready', this.#onReady)
    counted.delete(this.#client) // what comes now is not counted
  }
}

const counted = new WeakMap<RedisClient, Connections>()

function open(url: string): IoRedis & RedisClient {
  try {
    return new Redis(url, {
      lazyConnect: true,
      retryStrategy: null,
      connectTimeout: CONNECT_WITHIN,
    })
  } catch (error) {
    throw wrongValue(`the URL of Redis cannot be read: ${(error as Error).message}`)
  }
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => clearTimeout(timer))
  })
}
