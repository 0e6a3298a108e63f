import { native } from '../addon/native.js'
import { checked } from '../errors.js'
import { HEADER } from './layout.js'
import type { Ring } from './ring.js'

/** From this length on, a copy by the addon is faster: its call costs as much as this copy, and it copies large blocks faster. */
const LARGE = 16_384

/** Buffers of these lengths are cut from a slab, because allocating one takes longer than copying into it. */
const SLAB_LEAST = 256
const SLAB_MOST = 4096
const SLAB = 262_144

let slab: Buffer<ArrayBuffer> | undefined
let taken = SLAB

/** Copies the payload that the ring found into a new buffer. */
export function copyOut(ring: Ring, memory: number): Buffer<ArrayBuffer> {
  const { length, offset } = ring
  if (length < SLAB_LEAST) {
    const buffer = Buffer.allocUnsafe(length) as Buffer<ArrayBuffer>
    ring.bytes.copy(buffer, 0, offset, offset + length)
    return buffer
  }
  if (length > SLAB_MOST) {
    const buffer = Buffer.allocUnsafeSlow(length) as Buffer<ArrayBuffer>
    copyInto(ring, memory, buffer)
    return buffer
  }
  if (slab === undefined || taken + length > SLAB) {
    slab = Buffer.allocUnsafeSlow(SLAB) as Buffer<ArrayBuffer>
    taken = 0
  }
  const buffer = slab.subarray(taken, taken + length)
  ring.bytes.copy(buffer, 0, offset, offset + length)
  // Multiples of 8: a `Uint8Array` of a message can become another typed array.
  taken += (length + 7) & ~7
  return buffer
}

/** Copies the payload that the ring found to the start of a buffer that has room for it. */
export function copyInto(ring: Ring, memory: number, target: Uint8Array): void {
  const { length, offset } = ring
  if (length < LARGE) ring.bytes.copy(target, 0, offset, offset + length)
  else
    checked(
      native.memoryRead(
        memory,
        target.length === length ? target : target.subarray(0, length),
        HEADER + offset,
      ),
    )
}

/** Copies a payload to its place in the ring. */
export function copyIn(ring: Ring, memory: number, source: Uint8Array, offset: number): void {
  if (source.length < LARGE) ring.bytes.set(source, offset)
  else checked(native.memoryWrite(memory, source, HEADER + offset))
}
