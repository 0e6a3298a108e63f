import { checked, IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import { type Backend, BACKENDS } from '../options.js'
import { performance } from '../waiting/clock.js'
import { corruptError } from './broken.js'
import {
  type Codec,
  CODECS,
  HEADER,
  LEAST_CAPACITY,
  LONGEST_NAME,
  MAGIC,
  MOST_CAPACITY,
  NAME,
  SLOTS,
  VERSION,
  WORD,
} from './layout.js'
import { isProvedDead, ownIdentity } from './seat.js'

/** The values that the header of a channel records for its whole life. */
export interface Header {
  readonly capacity: number
  readonly codec: Codec
  readonly instance: bigint
  readonly mode: number
  readonly backend: Backend
}

/** The milliseconds that a creator has to fill in the header: it needs less than one. */
const PATIENCE = 1000

const pause = new Int32Array(new SharedArrayBuffer(4))

/** Becomes the creator; false if another process became it before. */
export function startFilling(buffer: ArrayBuffer): boolean {
  return (
    Atomics.compareExchange(
      new BigUint64Array(buffer, 0, HEADER / 8),
      WORD.CREATOR / 2,
      0n,
      ownIdentity(),
    ) === 0n
  )
}

/** Waits until another process has created the channel; false if that process is dead, or takes too long. */
export function finished(buffer: ArrayBuffer): boolean {
  if (buffer.byteLength < HEADER) return true
  const words = new Int32Array(buffer, 0, HEADER / 4)
  const creators = new BigUint64Array(buffer, 0, HEADER / 8)
  const deadline = performance.now() + PATIENCE
  while (Atomics.load(words, WORD.MAGIC) === 0) {
    const creator = Atomics.load(creators, WORD.CREATOR / 2)
    if (creator !== 0n && isProvedDead(creator)) return Atomics.load(words, WORD.MAGIC) !== 0
    if (performance.now() > deadline) return false
    Atomics.wait(pause, 0, 0, 1)
  }
  return true
}

/**
 * Becomes the creator in place of a dead creator, or of one that never began. False if another process became it, or the
 * creator is alive.
 */
export function mayReplaceCreator(buffer: ArrayBuffer): boolean {
  const creators = new BigUint64Array(buffer, 0, HEADER / 8)
  const creator = Atomics.load(creators, WORD.CREATOR / 2)
  if (creator !== 0n && !isProvedDead(creator)) return false
  return Atomics.compareExchange(creators, WORD.CREATOR / 2, creator, ownIdentity()) === creator
}

/** The capacity of a channel that was not finished: its memory was made for it, and some systems round that up. */
export function capacityOf(name: string, buffer: ArrayBuffer): number {
  const room = buffer.byteLength - HEADER
  if (room < LEAST_CAPACITY) throw corruptError(name, `its memory has only ${buffer.byteLength} bytes`)
  return Math.min(2 ** Math.floor(Math.log2(room)), MOST_CAPACITY)
}

/** Fills in all but the magic. */
export function fill(
  name: string,
  buffer: ArrayBuffer,
  { capacity, codec, mode, backend }: Omit<Header, 'instance'>,
): Header {
  const words = new Int32Array(buffer, 0, HEADER / 4)
  const bytes = Buffer.from(name)
  const instance = randomInstance()
  words[WORD.VERSION] = VERSION
  words[WORD.HEADER] = HEADER
  words[WORD.CAPACITY] = capacity
  words[WORD.SLOTS] = SLOTS
  words[WORD.CODEC] = CODECS.indexOf(codec) + 1
  new BigUint64Array(buffer, 0, HEADER / 8)[WORD.INSTANCE / 2] = instance
  words[WORD.NAMESPACE] = ownNamespace()
  words[WORD.NAME_LENGTH] = bytes.length
  words[WORD.MODE] = mode
  words[WORD.BACKEND] = BACKENDS.indexOf(backend) + 1
  new Uint8Array(buffer).set(bytes, NAME)
  return { capacity, codec, instance, mode, backend }
}

/** From now on other processes can open the channel. */
export function finish(buffer: ArrayBuffer): void {
  Atomics.store(new Int32Array(buffer, 0, 1), WORD.MAGIC, MAGIC)
}

/** Whether the memory belongs to a channel of this name, or is unfinished: its name is then not complete, and has this hash. */
export function isOf(name: string, buffer: ArrayBuffer): boolean {
  if (buffer.byteLength < HEADER) return true
  const words = new Int32Array(buffer, 0, HEADER / 4)
  if (Atomics.load(words, WORD.MAGIC) === 0) return true
  const length = words[WORD.NAME_LENGTH] as number
  return length < 1 || length > LONGEST_NAME || nameIn(buffer, length) === name
}

function nameIn(buffer: ArrayBuffer, length: number): string {
  return Buffer.from(Buffer.from(buffer, NAME, length)).toString()
}

/** Reads and checks the header. */
export function readHeader(name: string, buffer: ArrayBuffer, size = buffer.byteLength): Header {
  const nonsense = (what: string) => corruptError(name, what)
  if (buffer.byteLength < HEADER) throw nonsense(`its memory has only ${buffer.byteLength} bytes`)
  const words = new Int32Array(buffer, 0, HEADER / 4).slice()
  const at = (index: number) => words[index] as number
  if (at(WORD.MAGIC) !== MAGIC) throw nonsense('its memory does not begin with the mark of a channel')
  if (at(WORD.VERSION) !== VERSION) {
    throw new IpcError(
      'ERR_VERSION',
      `the channel '${name}' has layout ${at(WORD.VERSION)}; this package knows layout ${VERSION}`,
      {
        hint: 'processes with different versions of os-ipc use it: update the older ones, then unlink and create the channel again',
      },
    )
  }
  const length = at(WORD.NAME_LENGTH)
  if (length < 1 || length > LONGEST_NAME) throw nonsense(`its name has ${length} bytes`)
  if (!isOf(name, buffer)) {
    throw new IpcError(
      'ERR_NAME_COLLISION',
      `the memory of the channel '${name}' belongs to the channel '${nameIn(buffer, length)}'`,
      {
        hint: 'two names have the same hash: use another name',
      },
    )
  }
  if (at(WORD.NAMESPACE) !== ownNamespace()) {
    throw new IpcError('ERR_NOT_SUPPORTED', `the channel '${name}' belongs to another PID namespace`, {
      hint: 'a process of another PID namespace cannot tell which processes are dead: share the PID namespace too (docker run --pid), or unlink the channel if its container is gone',
    })
  }
  const capacity = at(WORD.CAPACITY)
  const isSane = capacity >= LEAST_CAPACITY && capacity <= MOST_CAPACITY && (capacity & (capacity - 1)) === 0
  if (at(WORD.HEADER) !== HEADER || !isSane || at(WORD.SLOTS) !== SLOTS)
    throw nonsense('its header has impossible sizes')
  if (size < HEADER + capacity) throw nonsense('its memory is smaller than its header states')
  const codec = CODECS[at(WORD.CODEC) - 1]
  const backend = BACKENDS[at(WORD.BACKEND) - 1]
  const instance = new DataView(words.buffer).getBigUint64(WORD.INSTANCE * 4, true)
  if (codec === undefined || backend === undefined || instance === 0n)
    throw nonsense('its header has impossible values')
  return { capacity, codec, instance, mode: at(WORD.MODE), backend }
}

function ownNamespace(): number {
  return checked(native.processIdentity()).namespace | 0
}

function randomInstance(): bigint {
  const half = () => BigInt(Math.floor(Math.random() * 2 ** 32))
  return (half() << 32n) | half() || 1n
}
