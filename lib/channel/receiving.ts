import { isUint8Array } from 'node:util/types'

import { type IpcError, wrongType } from '../errors.js'
import type { SemaphoreHandle } from '../semaphore/handle.js'
import { type WaitLimits, type WaitOptions, waitLimits } from '../waiting/options.js'
import { checkNotAborted } from '../waiting/signals.js'
import { rejected, resolved } from '../promises.js'
import { BriefSpin } from './brief-spin.js'
import { CREDIT_SHIFT, channelTimedOut, LATER } from './call.js'
import type { ChannelHandle } from './handle.js'
import { DRAINED, Inbox, NOTHING } from './inbox.js'
import { Received } from './iterators.js'
import { RECEIVE_LOCK, RECEIVERS_ASLEEP } from './layout.js'
import { Line } from './line.js'
import { BATCHES, type BatchesOptions, checkMost, RECEIVE, type ReceiveOptions } from './options.js'

const UNDEFINED = resolved(undefined)

const DEFAULT_BATCH = 1024

const NEVER = () => false

/** The calls of a `Channel` that receive. */
export class Receiving<T> {
  /** The receives that wait. */
  readonly line: Line

  readonly #handle: ChannelHandle
  readonly #inbox: Inbox
  /** The receive that an iterator left behind is tried again, and ends. Not at once: a callback may run now. */
  readonly #iterationEnded = (): void => queueMicrotask(() => this.line.retry())

  constructor(handle: ChannelHandle, semaphore: SemaphoreHandle) {
    const { name, ring, memory } = handle
    this.#handle = handle
    this.#inbox = new Inbox(name, ring, memory)
    const spin = new BriefSpin(memory)
    this.line = new Line(name, ring, {
      side: 'receive',
      asleep: RECEIVERS_ASLEEP,
      semaphore,
      timedOut: () => receiveTimedOut(handle),
      checkOpen: () => handle.checkOpen(),
      spin: () => spin.finds(),
    })
  }

  receive(options: ReceiveOptions | undefined): Promise<T | undefined> {
    return this.#receive(options, NEVER)
  }

  values(): AsyncIterableIterator<T> {
    return new Received<T>(isOver => this.#receive(undefined, isOver), this.#iterationEnded)
  }

  /** Takes nothing any more once `isOver` says so. */
  #receive(options: ReceiveOptions | undefined, isOver: () => boolean): Promise<T | undefined> {
    try {
      const limits = this.#handle.begin(options, RECEIVE)
      const prefetch = checkMost('prefetch', options?.prefetch, 1)
      this.#handle.checkOpen()
      if (this.line.free) {
        const found = this.#inbox.tryReceive(prefetch)
        if (found === DRAINED) return UNDEFINED
        if (found !== NOTHING) {
          this.#spend()
          return resolved(found as T)
        }
      }
      const attempt = () => {
        if (isOver()) return undefined
        const found = this.#inbox.tryReceive(prefetch)
        if (found === NOTHING) return LATER
        this.#spend()
        return found === DRAINED ? undefined : (found as T)
      }
      return this.line.wait(attempt, limits)
    } catch (error) {
      return rejected(error)
    }
  }

  /** A message was received. */
  #spend(): void {
    this.line.spend(1 + (this.#handle.ring.length >>> CREDIT_SHIFT))
  }

  tryReceive(): T | undefined {
    this.#handle.use()
    if (!this.line.empty) return undefined
    const found = this.#inbox.tryReceive(1)
    return found === NOTHING || found === DRAINED ? undefined : (found as T)
  }

  receiveInto(target: Uint8Array, options: WaitOptions | undefined): Promise<number | undefined> {
    try {
      const limits = this.#handle.begin(options)
      if (!isUint8Array(target)) throw wrongType('target', 'a Uint8Array', target)
      const attempt = () => {
        const found = this.#inbox.tryReceiveInto(target)
        if (found === NOTHING) return LATER
        this.#spend()
        return found === DRAINED ? undefined : found
      }
      const found = this.line.free ? attempt() : LATER
      return found === LATER ? this.line.wait(attempt, limits) : resolved(found)
    } catch (error) {
      return rejected(error)
    }
  }

  drain(visit: (view: Uint8Array) => void, max: number | undefined): number {
    this.#handle.use()
    if (typeof visit !== 'function') throw wrongType('visit', 'a function', visit)
    const most = checkMost('max', max, Number.POSITIVE_INFINITY)
    if (!this.line.empty) return 0
    try {
      return this.#handle.inCallback(() => this.#inbox.drain(visit, most))
    } finally {
      this.#inbox.drained()
    }
  }

  batches(options: BatchesOptions | undefined): AsyncIterableIterator<T[]> {
    const { timeout, signal } = waitLimits(options, BATCHES)
    const most = checkMost('max', options?.max, DEFAULT_BATCH)
    const limits = { timeout, signal }
    return new Received<T[]>(isOver => this.#receiveMany(most, limits, isOver), this.#iterationEnded)
  }

  #receiveMany(most: number, limits: WaitLimits, isOver: () => boolean): Promise<T[] | undefined> {
    try {
      this.#handle.use()
      const attempt = () => {
        if (isOver()) return undefined
        const found = this.#inbox.tryReceiveMany(most)
        if (found === DRAINED) return undefined
        if (found.length === 0) return LATER
        this.line.spend(found.length)
        return found as T[]
      }
      checkNotAborted(limits.signal)
      this.#handle.checkOpen()
      const found = this.line.free ? attempt() : LATER
      return found === LATER ? this.line.wait(attempt, limits) : resolved(found)
    } catch (error) {
      return rejected(error)
    }
  }
}

function receiveTimedOut({ name, ring }: ChannelHandle): IpcError {
  const receiving = ring.seat.ownerOf(RECEIVE_LOCK)
  const hint =
    receiving === undefined
      ? 'no message came in that time: info() names its senders'
      : `the process ${receiving} was receiving: if it does not continue, it is stopped or in a callback`
  return channelTimedOut(`the channel '${name}' had no message in time`, hint)
}
