import type { Library } from '../core/command.js'
import { everything, type Item } from '../core/items.js'

/** An item, and its changes over time. */
export interface Seen {
  readonly item: Item
  /** An identity that stays the same while the item exists. */
  readonly identity: string
  /** The largest value that was seen; the bar is relative to it, because the kernel does not keep the initial value. */
  readonly most: number
  /**
   * The changes per second since the last frame. The kernel does not count operations, so this counts the looks that
   * found another value, waiter count, last process or time, and is never more than the truth. A channel counts its messages.
   */
  readonly rate: number
  /** Whether every look found a change, so that the true number may be much larger. */
  readonly atLeast: boolean
}

/** The interval between two looks in milliseconds; longer on a host where a look is slow. */
const PERIOD = 50
/** The largest share of the time for looks. */
const LOAD = 0.1

interface Record {
  signature: string
  /** The messages that went through a channel until the last frame. */
  messages: number
  most: number
  changes: number
  looks: number
}

/** Reads all items more often than they are drawn, and counts the changes. */
export class Sampler {
  readonly #ipc: Library
  #items: readonly Item[] = []
  #records = new Map<string, Record>()
  #since = performance.now()
  #cost = 0

  constructor(ipc: Library) {
    this.#ipc = ipc
  }

  /** Milliseconds until the next look. */
  get period(): number {
    return Math.max(PERIOD, this.#cost / LOAD)
  }

  look(): void {
    const start = performance.now()
    this.#items = everything(this.#ipc)
    const records = new Map<string, Record>()
    for (const item of this.#items) {
      const identity = identityOf(item)
      const signature = signatureOf(item)
      const record = this.#records.get(identity) ?? {
        signature,
        messages: messagesOf(item),
        most: 0,
        changes: 0,
        looks: 0,
      }
      if (record.signature !== signature) record.changes += 1
      record.signature = signature
      record.looks += 1
      record.most = Math.max(record.most, item.value ?? 0)
      records.set(identity, record)
    }
    this.#records = records
    this.#cost = performance.now() - start
  }

  /** The samples since the last call. */
  collect(): Seen[] {
    const now = performance.now()
    const seconds = (now - this.#since) / 1000
    this.#since = now
    return this.#items.map(item => {
      const identity = identityOf(item)
      const record = this.#records.get(identity) as Record
      const { changes, looks, most } = record
      record.changes = 0
      record.looks = 0
      if (item.type === 'channel') {
        const passed = (messagesOf(item) - record.messages) >>> 0
        record.messages = messagesOf(item)
        return { item, identity, most, rate: passed / seconds, atLeast: false }
      }
      return { item, identity, most, rate: changes / seconds, atLeast: looks > 1 && changes >= looks - 1 }
    })
  }
}

/** A channel counts what was sent, modulo 2^32. */
function messagesOf({ sent }: Item): number {
  return sent ?? 0
}

function identityOf({ type, system, id, name }: Item): string {
  return `${type} ${system} ${id ?? ''} ${name ?? ''}`
}

function signatureOf({
  value,
  permits,
  free,
  holders,
  waiters,
  lastPid,
  operatedAt,
  attachedAt,
  detachedAt,
  attached,
  size,
  exclusive,
  shared,
  processes,
}: Item): string {
  const held = holders?.map(({ pid, permits }) => `${pid}:${permits}`)
  return `${value} ${permits} ${free} ${held} ${waiters} ${lastPid} ${operatedAt} ${attachedAt} ${detachedAt} ${attached} ${size} ${exclusive} ${shared} ${processes}`
}
