import { defined, live } from '../inspect.js'
import {
  BEGIN,
  type Codec,
  END,
  ENDED,
  HEADER,
  RECEIVE_LOCK,
  RECEIVED,
  RECEIVES,
  RECORD,
  REMOVED,
  SEND_LOCK,
  SENDS,
  SENT,
  SKIP,
} from './layout.js'
import type { Ring } from './ring.js'

/** The most records that are looked at to count the messages: some milliseconds. */
const MOST_LOOKS = 1 << 21

/** The present facts about a channel. Other processes use it meanwhile, so each number may have changed already. */
export interface ChannelInfo {
  readonly name: string
  readonly capacity: number
  readonly maxMessage: number
  readonly codec: Codec
  /** The bytes of the ring that messages use, with the 8 bytes before each of them. */
  readonly bytes: number
  /** The messages that were sent and not received. */
  readonly messages: number
  /** How many messages were sent so far, modulo 2^32. If a process is killed while it sends, the number can be too large. */
  readonly sent: number
  /** How many messages were received so far, modulo 2^32; as for `sent`. */
  readonly received: number
  /** The pids of the living processes that have sent to it and have it open. */
  readonly senders: number[]
  /** The pids of the living processes that have received from it and have it open. */
  readonly receivers: number[]
  /**
   * The process that copies a message into the channel now. If the pid stays the same, that process is stopped or in a
   * callback.
   */
  readonly sending: number | undefined
  /** The process that copies a message out of the channel now. */
  readonly receiving: number | undefined
  /** Whether `end()` was called. */
  readonly ended: boolean
  /** Whether the channel was unlinked. */
  readonly removed: boolean
}

/** The data that a handle has about its channel. */
interface Known {
  readonly name: string
  readonly capacity: number
  readonly maxMessage: number
  readonly codec: Codec
}

export function channelInfo({ name, capacity, maxMessage, codec }: Known, ring: Ring): ChannelInfo {
  const { words, seat, state } = ring
  const sent = (words[SENT] as number) >>> 0
  const received = (words[RECEIVED] as number) >>> 0
  const { bytes, messages } = contentsOf(ring)
  return {
    name,
    capacity,
    maxMessage,
    codec,
    bytes,
    messages: messages ?? Math.max((sent - received) | 0, 0),
    sent,
    received,
    senders: seat.pids(SENDS),
    receivers: seat.pids(RECEIVES),
    sending: seat.ownerOf(SEND_LOCK),
    receiving: seat.ownerOf(RECEIVE_LOCK),
    ended: (state & ENDED) !== 0,
    removed: (state & REMOVED) !== 0,
  }
}

/** What `console.log` shows of a channel. */
export function shownFacts(channel: Omit<Known, 'maxMessage'> & { info(): ChannelInfo }): object {
  const { name, capacity, codec } = channel
  const now = () => {
    const { messages, bytes, senders, receivers, ended, removed } = channel.info()
    return defined({ messages, bytes, senders, receivers, ended, removed })
  }
  return { name, capacity, codec, ...live(now) }
}

/**
 * The contents of the ring, read without a lock. If another process sends or receives meanwhile, the messages are
 * counted again. `messages` is missing if the ring changed during each count, if there are too many of them, or if the bytes
 * there cannot be messages.
 */
function contentsOf({ words, capacity }: Ring): { bytes: number; messages: number | undefined } {
  const capacityUnits = capacity / 8
  let [used, looks] = [0, 0]
  for (let attempt = 0; attempt < 10 && looks < MOST_LOOKS; attempt++) {
    const begin = Atomics.load(words, BEGIN)
    used = (Atomics.load(words, END) - begin) | 0
    if (used < 0 || used > capacityUnits) continue
    let [messages, left] = [0, used]
    for (; left > 0 && looks < MOST_LOOKS; looks++) {
      const at = (begin + used - left) & (capacityUnits - 1)
      const length = words[HEADER / 4 + (at << 1)] as number
      const units = length === SKIP ? capacityUnits - at : (length + RECORD + 7) >>> 3
      if (length < SKIP || units > left) break
      left -= units
      if (length !== SKIP) messages += 1
    }
    if (Atomics.load(words, BEGIN) === begin && left === 0) return { bytes: used * 8, messages }
  }
  return { bytes: Math.min(Math.max(used * 8, 0), capacity), messages: undefined }
}
