import { native } from '../addon/native.js'
import { checked, fromNative, IpcError } from '../errors.js'
import type { SharedMemoryInfo } from '../memory/info.js'
import { evaluation } from '../waiting/settling.js'
import { readHeader } from './header.js'
import {
  BEGIN,
  type Codec,
  END,
  ENDED,
  HEADER,
  LONGEST_NAME,
  longestMessage,
  NAME,
  RECEIVE_LOCK,
  RECEIVED,
  RECEIVES,
  SEND_LOCK,
  SENDS,
  SENT,
  STATE,
  WORD,
} from './layout.js'
import { MEMORY_PREFIX, memoryName, wakeNames } from './names.js'
import { handlesOf, lockedBy, pidsOf } from './seat.js'

/** A channel of {@link list}. */
export interface ListedChannel {
  /** The name with its slash. */
  readonly name: string
  /** The bytes that messages can use. */
  readonly capacity: number
  /** The longest message in bytes. */
  readonly maxMessage: number
  /** How its creator encodes values. */
  readonly codec: Codec
  /** The bytes in use. */
  readonly bytes: number
  /**
   * The number of messages in it: how many were sent and not received. If a process was killed while it sent or received,
   * the number can be wrong.
   */
  readonly messages: number
  /** How many messages were sent so far, modulo 2^32. */
  readonly sent: number
  /** How many messages were received so far, modulo 2^32. */
  readonly received: number
  /** The pids of the living processes that have sent to it and have it open. */
  readonly senders: number[]
  /** The pids of the living processes that have received from it and have it open. */
  readonly receivers: number[]
  /**
   * The process that copies a message into it now, and the one that copies a message out of it. If a pid stays the same,
   * that process is stopped or in a callback, and no other process can send or receive.
   */
  readonly sending: number | undefined
  readonly receiving: number | undefined
  /** How many open handles the living processes have; at most 255. */
  readonly handles: number
  /** The names of the objects that it consists of, for other tools. */
  readonly objects: { readonly memory: string; readonly receivers: string; readonly senders: string }
  /** Whether `end()` was called. */
  readonly ended: boolean
  /** The uid of the owner. */
  readonly uid: number
  /** The gid of its group. */
  readonly gid: number
  /** Permission bits. */
  readonly mode: number
  /** The time at which it was made, where the file system keeps it. */
  readonly createdAt: Date | undefined
}

/** The channels among memory objects, and the names of all their objects. */
export interface Channels {
  readonly channels: ListedChannel[]
  readonly objects: ReadonlySet<string>
}

/** Finds the channels. Memory that has the name of a channel, but no channel in it, stays among the memory objects. */
export function channelsIn(memory: readonly SharedMemoryInfo[]): Channels {
  const channels: ListedChannel[] = []
  const objects = new Set<string>()
  for (const info of memory) {
    const { name } = info
    // Memory without its size is unfinished, or not a channel at all. Opening it would wait for its creator.
    if (name === undefined || !name.startsWith(MEMORY_PREFIX) || info.size < HEADER) continue
    const found = channelIn(info, name)
    if (found === undefined) continue
    for (const object of Object.values(found.objects)) objects.add(object)
    channels.push(found)
  }
  return { channels, objects }
}

function channelIn(info: SharedMemoryInfo, object: string): ListedChannel | undefined {
  const bytes = readStart(object)
  if (bytes === undefined) return undefined
  const words = new Int32Array(bytes.buffer, bytes.byteOffset, HEADER / 4)
  const name = bytes.toString('utf8', NAME, NAME + Math.min(words[WORD.NAME_LENGTH] as number, LONGEST_NAME))
  try {
    if (memoryName(name) !== object) return undefined
    const header = readHeader(name, bytes.buffer, info.size)
    const { capacity, codec, instance } = header
    const [sent, received] = [(words[SENT] as number) >>> 0, (words[RECEIVED] as number) >>> 0]
    const used = ((words[END] as number) - (words[BEGIN] as number)) | 0
    return {
      name,
      capacity,
      maxMessage: longestMessage(capacity),
      codec,
      bytes: Math.min(Math.max(used * 8, 0), capacity),
      messages: Math.max((sent - received) | 0, 0),
      sent,
      received,
      senders: pidsOf(words, SENDS),
      receivers: pidsOf(words, RECEIVES),
      sending: lockedBy(words, SEND_LOCK),
      receiving: lockedBy(words, RECEIVE_LOCK),
      handles: handlesOf(words),
      objects: { memory: object, ...wakeNames(name, instance) },
      ended: ((words[STATE] as number) & ENDED) !== 0,
      uid: info.uid,
      gid: info.gid,
      mode: info.mode,
      createdAt: info.createdAt,
    }
  } catch (error) {
    // The channel is unfinished or invalid, or belongs to another PID namespace.
    if (error instanceof IpcError) return undefined
    throw error
  }
}

/** The codes of a process or a host without file descriptors: they say nothing about the object. `ENOMEM` may be its size. */
const SHORTAGES: ReadonlySet<string | undefined> = new Set(['EMFILE', 'ENFILE'])

/** A copy of the first bytes of a memory object; `undefined` if it cannot be read, or is shorter. */
function readStart(object: string): Buffer<ArrayBuffer> | undefined {
  const opened = native.memoryOpen(evaluation.session, object, true, 'any')
  if (typeof opened === 'string') {
    const error = fromNative(opened)
    if (error instanceof IpcError && SHORTAGES.has(error.code)) throw error
    return undefined
  }
  try {
    const bytes = Buffer.alloc(HEADER)
    return native.memoryRead(opened.handle, bytes, 0) === HEADER ? bytes : undefined
  } finally {
    checked(native.memoryClose(opened.handle))
  }
}
