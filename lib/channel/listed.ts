import type { NativeMemoryInfo } from '../../native.cjs'
import { native } from '../addon/native.js'
import type { Backend } from '../options.js'
import { evaluation } from '../waiting/settling.js'
import { readHeader } from './header.js'
import {
  BEGIN,
  type Codec,
  END,
  ENDED,
  FIRST_SLOT,
  HEADER,
  longestMessage,
  NAME,
  RECEIVED,
  RECEIVES,
  SENDS,
  SENT,
  SLOT,
  SLOTS,
  STATE,
  WORD,
} from './layout.js'
import { MEMORY_PREFIX, memoryName, wakeNames } from './names.js'
import { isProvedDead } from './seat.js'

/** A channel on this host, as {@link list} shows it. Processes go on meanwhile, so each number is one of a moment ago. */
export interface ListedChannel {
  readonly name: string
  /** The bytes that messages can use. */
  readonly capacity: number
  /** The longest message in bytes. */
  readonly maxMessage: number
  readonly codec: Codec
  /** The used bytes, with the 8 bytes before each message. */
  readonly bytes: number
  /** The messages that were sent and not received. A process that is killed while it sends can make it one too high. */
  readonly messages: number
  /** The number of messages sent so far, modulo 2^32. */
  readonly sent: number
  /** The number of messages received so far, modulo 2^32. */
  readonly received: number
  /** The pids of the living processes that have sent to it and have it open. */
  readonly senders: number[]
  /** The pids of the living processes that have received from it and have it open. */
  readonly receivers: number[]
  /** Whether `end()` was called. */
  readonly ended: boolean
  /** The uid of its owner. */
  readonly uid: number
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** When it was made, where the file system keeps it. */
  readonly createdAt: Date | undefined
  /** The backend of its two semaphores. */
  readonly backend: Backend
}

/** A channel, and the names of its semaphores. */
export interface FoundChannel {
  channel: ListedChannel
  wakes: readonly string[]
}

const OBJECT = new RegExp(`^${MEMORY_PREFIX.replaceAll('.', '\\.')}[0-9a-f]{16}$`)

/** Reads the channel that a memory object is; `undefined` if it is none, or if this user may not read it. */
export function channelIn(memory: NativeMemoryInfo): FoundChannel | undefined {
  const { name } = memory
  if (name === undefined || !OBJECT.test(name)) return undefined
  const bytes = headerOf(name)
  return bytes && read(bytes, memory)
}

/** A copy of the header. A listing takes no slot and writes nothing, so it can show the channel of another user too. */
function headerOf(name: string): ArrayBuffer | undefined {
  const opened = native.memoryOpen(evaluation.session, name, true, 'any')
  if (typeof opened === 'string') return undefined
  try {
    const bytes = new Uint8Array(HEADER)
    const length = native.memoryRead(opened.handle, bytes, 0)
    return length === HEADER ? bytes.buffer : undefined
  } finally {
    native.memoryRelease(opened.handle)
  }
}

function read(copy: ArrayBuffer, memory: NativeMemoryInfo): FoundChannel | undefined {
  const words = new Int32Array(copy)
  const at = (index: number) => words[index] as number
  const name = Buffer.from(copy, NAME, Math.min(Math.max(at(WORD.NAME_LENGTH), 0), 255)).toString()
  // The memory of one name cannot pass for a channel of another one.
  if (memoryName(name) !== memory.name) return undefined
  const header = headerIn(name, copy, memory.size)
  if (header === undefined) return undefined
  const { capacity, codec, instance, backend } = header
  const { receivers, senders } = wakeNames(name, instance)
  const bytes = Math.min(Math.max(((at(END) - at(BEGIN)) | 0) * 8, 0), capacity)
  const [sent, received] = [at(SENT) >>> 0, at(RECEIVED) >>> 0]
  const channel = {
    name,
    capacity,
    maxMessage: longestMessage(capacity),
    codec,
    bytes,
    // Eight bytes a message at least: the counts of a hostile peer say nothing more.
    messages: Math.min(Math.max((sent - received) | 0, bytes > 0 ? 1 : 0), bytes / 8),
    sent,
    received,
    senders: pids(copy, SENDS),
    receivers: pids(copy, RECEIVES),
    ended: (at(STATE) & ENDED) !== 0,
    uid: memory.uid,
    gid: memory.gid,
    mode: memory.mode,
    createdAt: memory.createdAt === undefined ? undefined : new Date(memory.createdAt),
    backend,
  }
  return { channel, wakes: [receivers, senders] }
}

function headerIn(name: string, copy: ArrayBuffer, size: number) {
  try {
    return readHeader(name, copy, size)
  } catch {
    // Nonsense, or another layout: the listing shows the memory object.
    return undefined
  }
}

function pids(copy: ArrayBuffer, role: number): number[] {
  const found = new Set<number>()
  const view = new DataView(copy)
  for (let slot = 0; slot < SLOTS; slot++) {
    const start = FIRST_SLOT + SLOT * slot
    if ((view.getUint32(start + 12, true) & role) === 0) continue
    const identity = view.getBigUint64(start, true)
    if (identity !== 0n && !isProvedDead(identity)) found.add(Number(identity >> 32n))
  }
  return [...found]
}
