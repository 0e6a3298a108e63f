import { acrossCopies } from '../copies.js'
import { inspectable } from '../inspect.js'
import { detached, noConstructor } from '../misuse.js'
import type { WaitOptions } from '../waiting/options.js'
import { ChannelHandle } from './handle.js'
import { channelInfo, type ChannelInfo, shownFacts } from './info.js'
import { type Codec, longestMessage } from './layout.js'
import { Objects } from './objects.js'
import { removeObjects, unlinkChannel } from './removal.js'
import {
  type BatchesOptions,
  checkChannelName,
  checkCreation,
  checkOpening,
  checkOpenOrCreate,
  type CreateChannelOptions,
  type OpenChannelOptions,
  type OpenOrCreateChannelOptions,
  type ReceiveOptions,
} from './options.js'
import { Receiving } from './receiving.js'
import { Sending } from './sending.js'

/** The key of the constructor: only this module makes channels. */
const inside = Symbol('inside')

/** The calls that make one. */
const MAKERS = ['create(name, { capacity })', 'open(name)', 'openOrCreate(name, { capacity })']

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

  readonly #handle: ChannelHandle
  readonly #sending: Sending
  readonly #receiving: Receiving<T>

  private constructor(key: symbol, objects: Objects, created: boolean) {
    if (key !== inside) throw noConstructor('Channel', MAKERS)
    const { name, header } = objects
    this.name = name
    this.capacity = header.capacity
    this.maxMessage = longestMessage(header.capacity)
    this.codec = header.codec
    this.created = created
    this.#handle = new ChannelHandle(objects)
    this.#sending = new Sending(this.#handle, objects.senders)
    this.#receiving = new Receiving(this.#handle, objects.receivers)
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
    if (!(#handle in Object(this))) throw detached('channel', 'send')
    return this.#sending.send(value, options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'trySend')
    return this.#sending.trySend(value)
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
    if (!(#handle in Object(this))) throw detached('channel', 'sendMany')
    return this.#sending.sendMany(values, options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'sendWith')
    return this.#sending.sendWith(bytes, fill, options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'receive')
    return this.#receiving.receive(options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'tryReceive')
    return this.#receiving.tryReceive()
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
    if (!(#handle in Object(this))) throw detached('channel', 'receiveInto')
    return this.#receiving.receiveInto(target, options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'drain')
    return this.#receiving.drain(visit, max)
  }

  /**
   * Receives one message after the other, until the channel has ended and is empty. `Readable.from(channel)` makes a
   * stream of it.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<T> {
    if (!(#handle in Object(this))) throw detached('channel', '[Symbol.asyncIterator]')
    return this.#receiving.values()
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
    if (!(#handle in Object(this))) throw detached('channel', 'batches')
    return this.#receiving.batches(options)
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
    if (!(#handle in Object(this))) throw detached('channel', 'end')
    this.#handle.use()
    this.#handle.ring.end()
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
    if (!(#handle in Object(this))) throw detached('channel', 'info')
    this.#handle.checkOpen()
    return channelInfo(this, this.#handle.ring)
  }

  /** Makes pending calls of this handle keep the process alive, which is the default. */
  ref(): this {
    if (!(#handle in Object(this))) throw detached('channel', 'ref')
    return this.#setReferenced(true)
  }

  /** Lets the process end while calls of this handle are pending. */
  unref(): this {
    if (!(#handle in Object(this))) throw detached('channel', 'unref')
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
    if (!(#handle in Object(this))) throw detached('channel', 'close')
    this.#handle.close(this.#sending.line, this.#receiving.line)
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
    if (!(#handle in Object(this))) throw detached('channel', 'unlink')
    this.#handle.unlink()
  }

  /** The same as {@link Channel.close}. */
  [Symbol.dispose](): void {
    this.close()
  }

  #setReferenced(alive: boolean): this {
    this.#handle.checkOpen()
    this.#sending.line.setReferenced(alive)
    this.#receiving.line.setReferenced(alive)
    return this
  }
}

acrossCopies(Channel, 'Channel')

inspectable(Channel, shownFacts)
