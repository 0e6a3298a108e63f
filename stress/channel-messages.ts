// Messages that show whether they are torn, and a ledger of who sent and received which.

/** The most senders over a whole trial: each has its own number. */
export const SENDERS = 4096
/** The most messages of one sender that are noted. */
export const MESSAGES = 4096

/** A message: a text, an object or bytes, of any size. */
export type Stamped = string | Uint8Array | { sender: number; sequence: number; filling: string }

/** Words: for each sender the last sequence number that was sent, then a bit for each message that was received. */
export const LEDGER_BYTES = 4 * SENDERS + (SENDERS * MESSAGES) / 8

export function ledgerName(channel: string): string {
  return `${channel}-ledger`
}

/** A message of any of the codecs; its filling follows from its numbers. */
export function stamp(sender: number, sequence: number): Stamped {
  const length = (sequence * 7919) % 900
  const character = String.fromCharCode(97 + ((sender + sequence) % 26))
  switch (sequence % 4) {
    case 0:
      return `${sender}:${sequence}:${character.repeat(length)}`
    case 1:
      return `${sender}:${sequence}:${'é€'.repeat(length >> 3)}`
    case 2:
      return { sender, sequence, filling: character.repeat(length) }
    default:
      return Buffer.from(`${sender}:${sequence}:${character.repeat(length)}`)
  }
}

export interface Numbers {
  readonly sender: number
  readonly sequence: number
  /** Whether the message is exactly what its sender made. */
  readonly whole: boolean
}

export function unstamp(message: unknown): Numbers {
  const [sender = -1, sequence = -1] =
    typeof message === 'object' && message !== null && 'sender' in message
      ? [Number(message.sender), Number((message as { sequence?: unknown }).sequence)]
      : String(message).split(':', 2).map(Number)
  const whole = JSON.stringify(message) === JSON.stringify(stamp(sender, sequence))
  return { sender, sequence, whole }
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
