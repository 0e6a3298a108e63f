import { native } from '../addon/native.js'
import { copyTo, firstOf, lengthOf } from '../bytes.js'
import { checked, wrongValue } from '../errors.js'
import { partOf } from './buffers.js'
import { HEADER } from './layout.js'
import type { Ring } from './ring.js'

/**
 * The longest payload that Node copies; the addon copies longer ones. On processors of AMD the addon copies large blocks
 * faster than Node, and at some places in the ring 20 times as fast. Its call takes as long as a copy of 4 KiB.
 */
export const LONGEST_COPY = 32_767

/** Up to this length a message is copied word by word: a call of Node's copy costs more. */
const TINY = 128

/** Buffers of these lengths are cut from a slab, because allocating one takes longer than copying into it. */
const SLAB_LEAST = 256
const SLAB_MOST = 4096
const SLAB = 262_144

/** Several messages up to `SLAB_MOST` are copied together, until they have this number of bytes. */
const TOGETHER = 65_536

/** Memory that several messages share. */
let slab: Buffer<ArrayBuffer> | undefined
let taken = SLAB

/** The memory that `Buffer.allocUnsafe` cuts small buffers from, as words. */
let pool: Int32Array | undefined

const EMPTY = Buffer.alloc(0) as Buffer<ArrayBuffer>

/** A message that was copied out of the ring. */
export interface Copied {
  kind: number
  bytes: Buffer<ArrayBuffer>
}

/** Copies the payload that the ring found into a new buffer. */
export function copyOut(ring: Ring, memory: number): Buffer<ArrayBuffer> {
  const { length, offset } = ring
  if (length < SLAB_LEAST) {
    const buffer = Buffer.allocUnsafe(length) as Buffer<ArrayBuffer>
    if (length > TINY) ring.bytes.copy(buffer, 0, offset, offset + length)
    else copyWords(ring, buffer)
    return buffer
  }
  if (length > SLAB_MOST) {
    const buffer = Buffer.allocUnsafeSlow(length) as Buffer<ArrayBuffer>
    copyInto(ring, memory, buffer)
    return buffer
  }
  if (slab === undefined || taken + length > slab.length) {
    slab = untransferable(Buffer.allocUnsafeSlow(SLAB) as Buffer<ArrayBuffer>)
    taken = 0
  }
  const buffer = partOf(slab.buffer, taken, length)
  ring.bytes.copy(buffer, 0, offset, offset + length)
  // Multiples of 8: a `Uint8Array` of a message can become another typed array.
  taken += (length + 7) & ~7
  return buffer
}

/**
 * Memory that several messages share: whoever gets one of them must not transfer it, because the others would be empty. The
 * memory of `Buffer.allocUnsafe` is like that too.
 */
function untransferable(memory: Buffer<ArrayBuffer>): Buffer<ArrayBuffer> {
  mark ??= marker()
  mark(memory.buffer)
  return memory
}

let mark: ((memory: ArrayBuffer) => void) | undefined

function marker(): (memory: ArrayBuffer) => void {
  try {
    // The module takes as long to load as the whole addon, so it is loaded late.
    const { markAsUntransferable } = process.getBuiltinModule('node:worker_threads')
    markAsUntransferable(new ArrayBuffer(0))
    return markAsUntransferable
  } catch {
    return () => {} // Bun and Deno have the function, and it throws.
  }
}

function copyWords(ring: Ring, target: Buffer<ArrayBuffer>): void {
  const { length, offset } = ring
  const at = target.byteOffset
  let copied = 0
  if ((at & 3) === 0) {
    if (pool?.buffer !== target.buffer) pool = new Int32Array(target.buffer, 0, target.buffer.byteLength >> 2)
    const from = (HEADER + offset) >> 2
    for (const words = length >> 2; copied < words; copied++) {
      pool[(at >> 2) + copied] = ring.words[from + copied] as number
    }
  }
  for (copied *= 4; copied < length; copied++) target[copied] = ring.bytes[offset + copied] as number
}

/**
 * Copies up to `most` messages that the ring has into new buffers, and passes them; false if there is none.
 *
 * Small messages that lie one after the other are one copy, and their buffers have one memory.
 */
export function copyMessages(ring: Ring, memory: number, most: number, into: Copied[]): boolean {
  if (!ring.next()) return false
  const first = ring.offset
  if (most === 1 || ring.length > SLAB_MOST) {
    into.push({ kind: ring.kind, bytes: copyOut(ring, memory) })
    ring.pass()
    return true
  }
  // The places and lengths are read before the copy, and once: a peer could change them.
  const before = into.length
  const starts: number[] = []
  const lengths: number[] = []
  let end = first
  do {
    starts.push(ring.offset - first)
    lengths.push(ring.length)
    into.push({ kind: ring.kind, bytes: EMPTY })
    end = ring.offset + ring.length
    ring.pass()
  } while (
    starts.length < most &&
    ring.next() &&
    ring.offset >= end &&
    ring.length <= SLAB_MOST &&
    ring.offset + ring.length - first <= TOGETHER
  )
  const block = untransferable(Buffer.allocUnsafe(end - first) as Buffer<ArrayBuffer>)
  block.set(ring.bytes.subarray(first, end))
  const { buffer, byteOffset } = block
  for (let place = 0; place < starts.length; place++) {
    const copied = into[before + place] as Copied
    copied.bytes = partOf(buffer, byteOffset + (starts[place] as number), lengths[place] as number)
  }
  return true
}

/** Copies the payload that the ring found to the start of a buffer that has room for it. */
export function copyInto(ring: Ring, memory: number, target: Uint8Array): void {
  const { length, offset } = ring
  if (length <= LONGEST_COPY) copyTo(target, ring.view())
  else {
    const exact = lengthOf(target) === length ? target : firstOf(target, length)
    checked(native.memoryRead(memory, exact, HEADER + offset))
  }
}

/** Copies a payload of this length to its place in the ring. */
export function copyIn(ring: Ring, memory: number, source: Uint8Array, length: number, offset: number): void {
  if (length <= LONGEST_COPY) copyShort(ring, source, offset)
  else checked(native.memoryWrite(memory, source, HEADER + offset))
}

function copyShort(ring: Ring, source: Uint8Array, offset: number): void {
  try {
    ring.bytes.set(source, offset)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw wrongValue('the bytes are not there any more: their ArrayBuffer was transferred, or made smaller')
  }
}
