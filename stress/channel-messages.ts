// Messages that show whether they are torn, and a ledger of which were sent and received. `__test__/peers/stamped.c` makes
// and checks the same messages, and keeps the same ledger.

import type { Codec } from '../index.js'

/** The most senders over a whole trial: each has its own number. */
export const SENDERS = 4096
/** The most messages of one sender that are noted. */
export const MESSAGES = 4096

/** A message: a text with its numbers, plain or in a value that another way of encoding carries. */
export type Stamped = string | Uint8Array | { readonly stamp: string } | ReadonlyMap<'stamp', string>

/** Words: for each sender the last sequence number that was sent, then a bit for each message that was received. */
export const LEDGER_BYTES = 4 * SENDERS + (SENDERS * MESSAGES) / 8

export function ledgerName(channel: string): string {
  return `${channel}-ledger`
}

/** The text of a message. Its length and its characters follow from its numbers. */
function text(sender: number, sequence: number): string {
  const spread = sequence * 7919
  // Some fill almost half of a ring of 8192 bytes, so that many of them do not fit behind its end.
  const length = sequence % 16 === 5 ? 2_000 + (spread % 1_900) : spread % 900
  const filling = sequence % 5 === 1 ? 'é€'.repeat(length >> 3) : letter(sender, sequence).repeat(length)
  return `#${sender}:${sequence}:${filling}`
}

function letter(sender: number, sequence: number): string {
  return String.fromCharCode(97 + ((sender + sequence) % 26))
}

/** A message for a channel of this codec, in one of the forms that the codec has. */
export function stamp(codec: Codec, sender: number, sequence: number): Stamped {
  const stamped = text(sender, sequence)
  const form = sequence % 5
  if (codec === 'bytes' || (codec === 'structured' && form === 3)) return Buffer.from(stamped)
  if (form === 2) return { stamp: stamped }
  return codec === 'structured' && form === 4 ? new Map([['stamp', stamped]]) : stamped
}

export interface Numbers {
  readonly sender: number
  readonly sequence: number
  /** Whether the message is exactly what its sender made. */
  readonly whole: boolean
}

export function unstamp(message: unknown): Numbers {
  const found = textOf(message)
  const [, sender = -1, sequence = -1] = /^#(\d+):(\d+):/.exec(found)?.map(Number) ?? []
  return { sender, sequence, whole: found === text(sender, sequence) }
}

function textOf(message: unknown): string {
  if (message instanceof Uint8Array) return Buffer.from(message).toString()
  if (message instanceof Map) return String(message.get('stamp'))
  if (typeof message === 'object' && message !== null) return String((message as { stamp?: unknown }).stamp)
  return String(message)
}

/** This message is in the channel. */
export function noteSent(words: Int32Array, sender: number, sequence: number): void {
  Atomics.store(words, sender, sequence)
}

/** The last message of each sender that this process received. */
const last = new Map<number, number>()

/** This message was received; returns what is wrong with it. */
export function noteReceived(
  words: Int32Array,
  senders: number,
  receiver: number,
  { sender, sequence, whole }: Numbers,
): string | undefined {
  if (!whole || sender < 0 || sender >= senders || sequence < 1) return `receiver ${receiver}: a torn message`
  const before = last.get(sender) ?? 0
  last.set(sender, sequence)
  if (sequence <= before) return `${receiver}: ${sender}:${sequence} came after ${sender}:${before}`
  if (sequence >= MESSAGES) return undefined
  const bit = sender * MESSAGES + sequence
  const place = SENDERS + (bit >> 5)
  const already = Atomics.or(words, place, 1 << (bit & 31)) & (1 << (bit & 31))
  return already === 0 ? undefined : `${receiver}: ${sender}:${sequence} was received twice`
}

/** How many messages that were sent nobody received, among those that are noted. */
export function missing(words: Int32Array, senders: number): number {
  let number = 0
  for (let sender = 0; sender < senders; sender++) {
    const sent = Math.min(Atomics.load(words, sender), MESSAGES - 1)
    for (let sequence = 1; sequence <= sent; sequence++) {
      const bit = sender * MESSAGES + sequence
      if (!(Atomics.load(words, SENDERS + (bit >> 5)) & (1 << (bit & 31)))) number += 1
    }
  }
  return number
}
