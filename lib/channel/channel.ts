import { isUint8Array } from 'node:util/types'

import { acrossCopies } from '../copies.js'
import { IpcError, wrongType } from '../errors.js'
import { defined, inspectable, live } from '../inspect.js'
import { detached, noConstructor } from '../misuse.js'
import { checkBytes } from '../options.js'
import { WAIT, type WaitLimits, type WaitOptions, waitLimits } from '../waiting/options.js'
import { reasonOf } from '../waiting/signals.js'
import { channelTimedOut, LATER } from './call.js'
import { type Encoded, encode, newEncoded } from './codec.js'
import { DRAINED, Inbox, NOTHING } from './inbox.js'
import { channelInfo, type ChannelInfo } from './info.js'
import { Received } from './iterators.js'
import type { Codec } from './layout.js'
import { longestMessage, RECEIVE_LOCK, RECEIVERS_ASLEEP, SEND_LOCK, SENDERS_ASLEEP } from './layout.js'
import { Line } from './line.js'
import { Many } from './many.js'
import { Objects, removeClosed, removeObjects, unlinkChannel } from './objects.js'
import {
  type BatchesOptions,
  checkChannelName,
  BATCHES,
  checkCreation,
  checkMost,
  checkOpening,
  checkOpenOrCreate,
  type CreateChannelOptions,
  type OpenChannelOptions,
  type OpenOrCreateChannelOptions,
  RECEIVE,
  type ReceiveOptions,
} from './options.js'
import { Outbox } from './outbox.js'
import { Ring } from './ring.js'
import { Seat } from './seat.js'

/** The result of a send that did not have to wait. */
const DONE = Promise.resolve()
const UNDEFINED = Promise.resolve(undefined)

/** A message counts as one call, and as one more for every 4 KiB, before the event loop gets a turn. */
const CREDIT_SHIFT = 12

const DEFAULT_BATCH = 1024

/** The key of the constructor: only this module makes channels. */
const inside = Symbol('inside')

/**
 * Messages between processes, through shared memory: many senders, many receivers, each message to one receiver, in the
 * order of its sender.
 *
 * It holds `capacity` bytes; senders wait while it is full. It exists until `unlink()`, with the messages in it. A
 * process that is killed loses the messages that it had received, and does not block the other processes.
 *
 * @example
 * ```ts
 * const tasks = Channel.openOrCreate('/tasks', { capacity: 1 << 20 })
 * await tasks.send({ id: 1 }) // in one process
 * for await (const task of tasks) console.log(task) // in others, until tasks.end()
 * ```
 */
export class Channel<T = unknown> implements AsyncIterable<T>, Disposable {
  /** The name with its leading slash. */
  readonly name: string
  /** The bytes of the ring, a power of two. Each message uses 8 of them, and its own length rounded up to a multiple of 8. */
  readonly capacity: number
  /** The longest message in bytes: half the capacity, less 8. */
  readonly maxMessage: number
  /** The encoding that `send` uses. `receive` understands every codec. */
  readonly codec: Codec
  /** Whether this call made the channel. */
  readonly created: boolean

  readonly #objects: Objects
  readonly #ring: Ring
  readonly #outbox: Outbox
  readonly #inbox: Inbox
  readonly #sends: Line
  readonly #receives: Line
  readonly #scratch: Encoded = newEncoded()
  #open = true
  /** Whether a callback of `sendWith` or `drain` runs, under a lock. */
  #busy = false

  private constructor(key: symbol, objects: Objects, created: boolean) {
    if (key !== inside) {
      throw noConstructor('Channel', [
        'create(name, { capacity })',
        'open(name)',
        'openOrCreate(name, { capacity })',
      ])
    }
    const { name, header } = objects
    this.name = name
    this.capacity = header.capacity
    this.maxMessage = longestMessage(header.capacity)
    this.codec = header.codec
    this.created = created
    this.#objects = objects
    this.#ring = new Ring(name, objects.buffer, header.capacity, new Seat(name, objects))
    this.#outbox = new Outbox(name, this.#ring, objects.memory.number)
    this.#inbox = new Inbox(name, this.#ring, objects.memory.number)
    this.#sends = new Line(name, this.#ring, {
      side: 'send',
      asleep: SENDERS_ASLEEP,
      semaphore: objects.senders,
      timedOut: () => this.#sendTimedOut(),
    })
    this.#receives = new Line(name, this.#ring, {
      side: 'receive',
      asleep: RECEIVERS_ASLEEP,
      semaphore: objects.receivers,
      timedOut: () => this.#receiveTimedOut(),
    })
  }

  static #check(channel: Channel, method: string): void {
    if (!(#ring in Object(channel))) throw detached('channel', method)
  }

  static #of<T>(objects: Objects, created: boolean): Channel<T> {
    try {
      return new Channel<T>(inside, objects, created)
    } catch (error) {
      if (created) removeObjects(objects.name, objects.memory, objects.header)
      objects.close()
      throw error
    }
  }

  /**
   * Makes a new channel.
   *
   * @throws {IpcError} `EEXIST` when it exists already; `ENOSPC`, `ENOMEM` when there is no room (see the error's `hint`).
   *
   * @example
   * ```ts
   * const frames = Channel.create<Buffer>('/frames', { capacity: 64 << 20, codec: 'bytes' })
   * ```
   */
  static create<T = unknown>(name: string, options: CreateChannelOptions): Channel<T> {
    const full = checkChannelName(name)
    return Channel.#of(Objects.create(full, checkCreation(options)), true)
  }

  /**
   * Opens an existing channel.
   *
   * @throws {IpcError} `ENOENT` when it does not exist; `EACCES`; `ERR_FOREIGN_OWNER` when its owner is neither this user nor
   *   root nor `owner`; `ERR_NO_SLOT` when it is open 255 times; `ERR_VERSION`; `ERR_CORRUPT`; `ERR_NOT_SUPPORTED` when it
   *   belongs to another PID namespace.
   *
   * @example
   * ```ts
   * const frames = Channel.open<Buffer>('/frames')
   * ```
   */
  static open<T = unknown>(name: string, options?: OpenChannelOptions): Channel<T> {
    const full = checkChannelName(name)
    return Channel.#of(Objects.open(full, checkOpening(options)), false)
  }

  /**
   * Opens a channel, or makes it when it does not exist. A channel that exists keeps its capacity and codec.
   *
   * @throws {IpcError} as `open` and `create`.
   *
   * @example
   * ```ts
   * const tasks = Channel.openOrCreate('/tasks', { capacity: 1 << 20 })
   * ```
   */
  static openOrCreate<T = unknown>(name: string, options: OpenOrCreateChannelOptions): Channel<T> {
    const full = checkChannelName(name)
    const { owner, ...creation } = checkOpenOrCreate(options)
    const { objects, created } = Objects.openOrCreate(full, creation, owner)
    return Channel.#of(objects, created)
  }

  /**
   * Removes the channel of this name. Processes that have it open can still receive the messages in it. All their other
   * calls fail with `EIDRM`.
   *
   * @returns False when no such channel exists.
   *
   * @example
   * ```ts
   * Channel.unlink('/tasks')
   * ```
   */
  static unlink(name: string): boolean {
    return unlinkChannel(checkChannelName(name))
  }

  /**
   * Sends a message. When the promise resolves, the message is in the channel, and survives the death of this process.
   * Calls that wait at the same time keep their order. Do not change a `Buffer` before the promise resolves.
   *
   * @throws {TypeError} when the codec cannot encode the value, for example `undefined`.
   * @throws {IpcError} `ERR_MESSAGE_TOO_LARGE`; `ERR_ENDED`; `ETIMEDOUT` when there was no room in time; `ERR_CLOSED`;
   * `EIDRM`; `ERR_CORRUPT`.
   *
   * @example
   * ```ts
   * await tasks.send({ id: 1 }, { timeout: 1_000 })
   * ```
   */
  send(value: T, options?: WaitOptions): Promise<void> {
    Channel.#check(this, 'send')
    try {
      const limits = this.#begin(options)
      const message = encode(this.codec, value, this.#scratch)
      if (this.#sends.free && this.#outbox.trySend(message)) {
        const { bytes } = message
        this.#sends.spend(bytes === undefined ? 1 : 1 + (bytes.length >>> CREDIT_SHIFT))
        return DONE
      }
      this.#outbox.checkFits(message)
      const own: Encoded = { kind: message.kind, bytes: message.bytes, text: message.text }
      const attempt = this.#outbox.repeated(() => this.#outbox.trySend(own))
      return this.#wait(this.#sends, attempt, limits)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends a message if there is room at once. False means that the channel is full, that earlier sends of this handle
   * still wait, or that another process is sending now.
   *
   * @throws as `send`.
   *
   * @example
   * ```ts
   * if (!tasks.trySend({ id: 2 })) console.log('full')
   * ```
   */
  trySend(value: T): boolean {
    Channel.#check(this, 'trySend')
    this.#use()
    const message = encode(this.codec, value, this.#scratch)
    if (this.#sends.empty && this.#outbox.trySend(message)) return true
    this.#outbox.checkFits(message)
    return false
  }

  /**
   * Sends messages in their order, several at a time. This is faster than a `send` for each. If the call rejects, the
   * messages before the failed one have been sent.
   *
   * @throws {IpcError} as `send`.
   *
   * @example
   * ```ts
   * await tasks.sendMany([1, 2, 3].map(id => ({ id })))
   * ```
   */
  sendMany(values: Iterable<T>, options?: WaitOptions): Promise<void> {
    Channel.#check(this, 'sendMany')
    try {
      const limits = this.#begin(options)
      const many = new Many(values, this.codec, this.#outbox, this.#sends)
      const attempt = this.#outbox.repeated(() => many.attempt() !== LATER)
      if (this.#sends.free && attempt() !== LATER) return DONE
      return this.#wait(this.#sends, attempt, limits, () => many.cancel())
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Sends a message of `bytes` bytes that `fill` writes in place, without a copy. Receivers get a `Buffer`, whatever the
   * codec is.
   *
   * `fill` runs once, as soon as there is room. No other process can send until it returns, so it must be synchronous and
   * short. It must not use this channel. If it throws, nothing is sent.
   *
   * @throws {IpcError} as `send`.
   *
   * @example
   * ```ts
   * await frames.sendWith(640 * 480, view => view.fill(255))
   * ```
   */
  sendWith(bytes: number, fill: (view: Uint8Array) => void, options?: WaitOptions): Promise<void> {
    Channel.#check(this, 'sendWith')
    try {
      const limits = this.#begin(options)
      const length = checkBytes('bytes', bytes)
      if (typeof fill !== 'function') throw wrongType('fill', 'a function', fill)
      this.#outbox.checkLength(length)
      const attempt = this.#outbox.repeated(() =>
        this.#inCallback(() => this.#outbox.trySendWith(length, fill)),
      )
      if (this.#sends.free && attempt() !== LATER) {
        this.#sends.spend(1 + (length >>> CREDIT_SHIFT))
        return DONE
      }
      return this.#wait(this.#sends, attempt, limits)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Receives the next message; `undefined` once the channel has ended and is empty.
   *
   * With `prefetch`, the call takes up to this number of messages at once, and keeps them in this process for later
   * calls. This is faster. If this process dies or closes the channel, the kept messages are lost.
   *
   * @throws {IpcError} `ETIMEDOUT`; `ERR_BAD_MESSAGE` when the message cannot be decoded; `ERR_CLOSED`; `EIDRM`;
   * `ERR_CORRUPT`.
   *
   * @example
   * ```ts
   * const task = await tasks.receive({ timeout: 1_000 })
   * ```
   */
  receive(options?: ReceiveOptions): Promise<T | undefined> {
    Channel.#check(this, 'receive')
    try {
      const limits = this.#begin(options, RECEIVE)
      const prefetch = checkMost('prefetch', options?.prefetch, 1)
      if (this.#receives.free) {
        const found = this.#inbox.tryReceive(prefetch)
        if (found === DRAINED) return UNDEFINED
        if (found !== NOTHING) {
          this.#receives.spend(1 + (this.#ring.length >>> CREDIT_SHIFT))
          return Promise.resolve(found as T)
        }
      }
      const attempt = () => {
        const found = this.#inbox.tryReceive(prefetch)
        return found === NOTHING ? LATER : found === DRAINED ? undefined : (found as T)
      }
      return this.#wait(this.#receives, attempt, limits)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Receives the next message if one is there at once. `undefined` also means that the channel has ended, that earlier
   * receives of this handle still wait, or that another process is receiving now.
   *
   * @throws {IpcError} as `receive`.
   *
   * @example
   * ```ts
   * const task = tasks.tryReceive() ?? 'none'
   * ```
   */
  tryReceive(): T | undefined {
    Channel.#check(this, 'tryReceive')
    this.#use()
    if (!this.#receives.empty) return undefined
    const found = this.#inbox.tryReceive(1)
    return found === NOTHING || found === DRAINED ? undefined : (found as T)
  }

  /**
   * Receives the bytes of the next message, whatever its codec is, into `target`.
   *
   * @returns The length of the message; `undefined` once the channel has ended and is empty.
   * @throws {IpcError} `ERR_MESSAGE_TOO_LARGE` when `target` is too short, and the message then stays; otherwise as
   * `receive`.
   *
   * @example
   * ```ts
   * const frame = Buffer.alloc(frames.maxMessage)
   * const length = await frames.receiveInto(frame)
   * ```
   */
  receiveInto(target: Uint8Array, options?: WaitOptions): Promise<number | undefined> {
    Channel.#check(this, 'receiveInto')
    try {
      const limits = this.#begin(options)
      if (!isUint8Array(target)) throw wrongType('target', 'a Uint8Array', target)
      const attempt = () => {
        const found = this.#inbox.tryReceiveInto(target)
        return found === NOTHING ? LATER : found === DRAINED ? undefined : found
      }
      if (this.#receives.free) {
        const found = attempt()
        if (found !== LATER) {
          this.#receives.spend(1 + ((found ?? 0) >>> CREDIT_SHIFT))
          return Promise.resolve(found)
        }
      }
      return this.#wait(this.#receives, attempt, limits)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /**
   * Calls `visit` with the bytes of each present message, up to `max` messages, in place and without a copy. The view is
   * valid until `visit` returns. Then the message is taken.
   *
   * No other process can receive meanwhile, so `visit` must be synchronous and short. It must not use this channel. If it
   * throws, its message stays.
   *
   * @returns The number of messages.
   * @throws {IpcError} `ERR_CLOSED`; `EIDRM`; `ERR_CORRUPT`.
   *
   * @example
   * ```ts
   * let sum = 0
   * frames.drain(view => { sum += view.length })
   * ```
   */
  drain(visit: (view: Uint8Array) => void, max?: number): number {
    Channel.#check(this, 'drain')
    this.#use()
    if (typeof visit !== 'function') throw wrongType('visit', 'a function', visit)
    const most = checkMost('max', max, Number.POSITIVE_INFINITY)
    if (!this.#receives.empty) return 0
    return this.#inCallback(() => this.#inbox.drain(visit, most))
  }

  /**
   * Receives one message after the other, until the channel has ended and is empty. `Readable.from(channel)` makes a
   * stream of it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    Channel.#check(this, '[Symbol.asyncIterator]')
    return new Received<T>(() => this.receive())
  }

  /**
   * Receives messages in arrays. Each array has all messages that are present, at least one and at most `max`.
   *
   * @example
   * ```ts
   * for await (const list of tasks.batches({ max: 100 })) console.log(list.length)
   * ```
   */
  batches(options?: BatchesOptions): AsyncIterableIterator<T[]> {
    Channel.#check(this, 'batches')
    const { timeout, signal } = waitLimits(options, BATCHES)
    const most = checkMost('max', options?.max, DEFAULT_BATCH)
    const limits = { timeout, signal }
    return new Received<T[]>(() => this.#receiveMany(most, limits))
  }

  /**
   * Ends the channel for all processes. Further sends reject with `ERR_ENDED`. Receivers get the messages that are left,
   * and then `undefined`.
   *
   * @example
   * ```ts
   * tasks.end()
   * ```
   */
  end(): void {
    Channel.#check(this, 'end')
    this.#use()
    this.#ring.end()
  }

  /**
   * Reads the present facts about the channel.
   *
   * @throws {IpcError} `ERR_CLOSED`.
   *
   * @example
   * ```ts
   * const { messages, receivers } = tasks.info()
   * ```
   */
  info(): ChannelInfo {
    Channel.#check(this, 'info')
    if (!this.#open) throw this.#closedError()
    return channelInfo(this, this.#ring)
  }

  /** Makes pending calls of this handle keep the process alive, which is the default. */
  ref(): this {
    Channel.#check(this, 'ref')
    return this.#setReferenced(true)
  }

  /** Lets the process end while calls of this handle are pending. */
  unref(): this {
    Channel.#check(this, 'unref')
    return this.#setReferenced(false)
  }

  /**
   * Closes this handle: its pending calls reject with `ERR_CLOSED`, and its prefetched messages are lost. The channel
   * itself stays. A second call does nothing.
   *
   * @example
   * ```ts
   * tasks.close()
   * ```
   */
  close(): void {
    Channel.#check(this, 'close')
    if (!this.#open) return
    if (this.#busy) throw this.#reentered()
    this.#open = false
    this.#sends.close(this.#closedError())
    this.#receives.close(this.#closedError())
    this.#objects.close()
  }

  /**
   * Removes this channel, before or after `close()`; see {@link Channel.unlink}. If another channel has the name by now,
   * that channel stays. A second call does nothing.
   *
   * @example
   * ```ts
   * tasks.unlink()
   * ```
   */
  unlink(): void {
    Channel.#check(this, 'unlink')
    const { memory, header } = this.#objects
    if (!this.#open) {
      removeClosed(this.#objects)
      return
    }
    this.#ring.markRemoved()
    removeObjects(this.name, memory, header)
  }

  /** The same as {@link Channel.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #receiveMany(most: number, limits: WaitLimits): Promise<T[] | undefined> {
    try {
      this.#use()
      const attempt = () => {
        const found = this.#inbox.tryReceiveMany(most)
        if (found === DRAINED) return undefined
        if (found.length === 0) return LATER
        this.#receives.spend(found.length)
        return found as T[]
      }
      if (limits.signal?.aborted) throw reasonOf(limits.signal)
      const found = this.#receives.free ? attempt() : LATER
      return found === LATER ? this.#wait(this.#receives, attempt, limits) : Promise.resolve(found)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** What every call that can wait does first. */
  #begin(options: WaitOptions | undefined, names = WAIT): WaitLimits {
    const limits = waitLimits(options, names)
    this.#use()
    if (limits.signal?.aborted) throw reasonOf(limits.signal)
    return limits
  }

  #wait<R>(
    line: Line,
    attempt: () => R | typeof LATER,
    limits: WaitLimits,
    abandoned?: () => void,
  ): Promise<R> {
    // With no time, a call waits only for the turn of the event loop that it owes.
    if (limits.timeout === 0 && line.hasCredit) throw line.timedOut()
    const promise = line.wait(attempt, limits)
    if (abandoned !== undefined) promise.catch(abandoned)
    return promise
  }

  #use(): void {
    if (!this.#open) throw this.#closedError()
    if (this.#busy) throw this.#reentered()
  }

  #inCallback<R>(call: () => R): R {
    this.#busy = true
    try {
      return call()
    } finally {
      this.#busy = false
    }
  }

  #setReferenced(alive: boolean): this {
    if (!this.#open) throw this.#closedError()
    this.#sends.setReferenced(alive)
    this.#receives.setReferenced(alive)
    return this
  }

  #closedError(): IpcError {
    return new IpcError('ERR_CLOSED', `the channel '${this.name}' is closed`)
  }

  #reentered(): IpcError {
    return new IpcError('ERR_REENTERED', `a callback of the channel '${this.name}' used the channel itself`, {
      hint: 'the callbacks of sendWith and drain run under a lock: collect what they find, and use the channel after they return',
    })
  }

  #sendTimedOut(): IpcError {
    const sending = this.#ring.seat.ownerOf(SEND_LOCK)
    const hint =
      sending === undefined
        ? 'the channel was full all that time: info() names its receivers'
        : `the process ${sending} was sending: if it does not continue, it is stopped or in a callback`
    return channelTimedOut(`the channel '${this.name}' had no room in time`, hint)
  }

  #receiveTimedOut(): IpcError {
    const receiving = this.#ring.seat.ownerOf(RECEIVE_LOCK)
    const hint =
      receiving === undefined
        ? 'no message came in that time: info() names its senders'
        : `the process ${receiving} was receiving: if it does not continue, it is stopped or in a callback`
    return channelTimedOut(`the channel '${this.name}' had no message in time`, hint)
  }
}

acrossCopies(Channel, 'Channel')

inspectable(Channel, channel => {
  const { name, capacity, codec } = channel
  const now = () => {
    const { messages, bytes, senders, receivers, ended, removed } = channel.info()
    return defined({ messages, bytes, senders, receivers, ended, removed })
  }
  return { name, capacity, codec, ...live(now) }
})
