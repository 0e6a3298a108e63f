import { AsyncResource } from 'node:async_hooks'

import { type IpcError, wrongType } from '../errors.js'
import { checkBytes } from '../options.js'
import type { SemaphoreHandle } from '../semaphore/handle.js'
import type { WaitOptions } from '../waiting/options.js'
import { checkNotAborted } from '../waiting/signals.js'
import { rejected, resolved } from '../promises.js'
import { CREDIT_SHIFT, channelTimedOut, LATER } from './call.js'
import { type Encoded, encode, newEncoded } from './codec.js'
import type { ChannelHandle } from './handle.js'
import { SEND_LOCK, SENDERS_ASLEEP } from './layout.js'
import { Line } from './line.js'
import { Many } from './many.js'
import { Outbox } from './outbox.js'

/** The result of a send that did not have to wait. */
const DONE = resolved()

/** The calls of a `Channel` that send. */
export class Sending {
  /** The sends that wait. */
  readonly line: Line

  readonly #handle: ChannelHandle
  readonly #outbox: Outbox
  readonly #scratch: Encoded = newEncoded()

  constructor(handle: ChannelHandle, semaphore: SemaphoreHandle) {
    const { name, ring, memory } = handle
    this.#handle = handle
    this.#outbox = new Outbox(name, ring, memory)
    this.line = new Line(name, ring, {
      side: 'send',
      asleep: SENDERS_ASLEEP,
      semaphore,
      timedOut: () => sendTimedOut(handle, this.#outbox.isRefused),
      checkOpen: () => handle.checkOpen(),
      // A sender that waits for room had better sleep until there is much of it.
      spin: () => false,
    })
  }

  send(value: unknown, options: WaitOptions | undefined): Promise<void> {
    try {
      const limits = this.#handle.begin(options)
      const message = this.#encode(value)
      if (this.line.free && this.#outbox.trySend(message)) {
        this.line.spend(1 + (message.length >>> CREDIT_SHIFT))
        return DONE
      }
      this.#outbox.checkFits(message)
      const own: Encoded = { kind: message.kind, length: 0, bytes: message.bytes, text: message.text }
      const attempt = this.#outbox.repeated(() => this.#outbox.trySend(own))
      return this.line.wait(attempt, limits)
    } catch (error) {
      return rejected(error)
    }
  }

  trySend(value: unknown): boolean {
    this.#handle.use()
    const message = this.#encode(value)
    if (this.line.empty && this.#outbox.trySend(message)) return true
    this.#outbox.checkFits(message)
    return false
  }

  /** A getter or `toJSON` of the value can close the channel. */
  #encode(value: unknown): Encoded {
    const message = encode(this.#handle.codec, value, this.#scratch)
    this.#handle.checkOpen()
    return message
  }

  sendMany(values: Iterable<unknown>, options: WaitOptions | undefined): Promise<void> {
    let many: Many | undefined
    try {
      const limits = this.#handle.begin(options)
      const check = () => {
        checkNotAborted(limits.signal)
        this.#handle.checkOpen()
      }
      const messages = new Many(values, this.#handle.codec, this.#outbox, this.line, check)
      many = messages
      const attempt = this.#outbox.repeated(() => messages.attempt() !== LATER)
      if (this.line.free && attempt() !== LATER) return DONE
      const sent = this.line.wait(AsyncResource.bind(attempt), limits)
      return sent.catch(error => {
        messages.cancel()
        throw error
      })
    } catch (error) {
      many?.cancel()
      return rejected(error)
    }
  }

  sendWith(bytes: number, fill: (view: Uint8Array) => void, options: WaitOptions | undefined): Promise<void> {
    try {
      const limits = this.#handle.begin(options)
      const length = checkBytes('bytes', bytes)
      if (typeof fill !== 'function') throw wrongType('fill', 'a function', fill)
      this.#outbox.checkLength(length)
      const filled = (view: Uint8Array) => {
        const answer = fill(view)
        // A call that its own callback aborted sends nothing.
        checkNotAborted(limits.signal)
        return answer
      }
      const attempt = this.#outbox.repeated(() => {
        if (!this.#handle.inCallback(() => this.#outbox.trySendWith(length, filled))) return false
        this.#outbox.sentInPlace()
        return true
      })
      if (this.line.free && attempt() !== LATER) {
        this.line.spend(1 + (length >>> CREDIT_SHIFT))
        return DONE
      }
      return this.line.wait(AsyncResource.bind(attempt), limits)
    } catch (error) {
      return rejected(error)
    }
  }
}

function sendTimedOut({ name, ring }: ChannelHandle, isFull: boolean): IpcError {
  const sending = ring.seat.ownerOf(SEND_LOCK)
  const hint =
    sending === undefined
      ? isFull
        ? 'the channel was full: info() names its receivers'
        : 'there was room, but not enough time for all messages'
      : `the process ${sending} was sending: if it does not continue, it is stopped or in a callback`
  return channelTimedOut(`the channel '${name}' had no room in time`, hint)
}
