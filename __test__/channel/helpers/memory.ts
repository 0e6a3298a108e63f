import { SharedMemory } from '../../../index.js'

// The names of the objects of a channel, as docs/interop.md defines them.

function fnv1a64(bytes: Uint8Array, start = 0xcbf29ce484222325n): bigint {
  let hash = start
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash
}

function object(kind: string, hash: bigint): string {
  return `/os-ipc.${kind}.${hash.toString(16).padStart(16, '0')}`
}

/** The name of the memory object of a channel. */
export function memoryName(name: string): string {
  return object('ch', fnv1a64(Buffer.from(name)))
}

/** The memory of a channel. */
export function memoryOf(name: string): SharedMemory {
  return SharedMemory.open(memoryName(name))
}

/** The names of the semaphores that wake receivers and senders. */
export function wakeNames(name: string): string[] {
  using memory = memoryOf(name)
  const hash = fnv1a64(memory.toBuffer(24, 8), fnv1a64(Buffer.from(name)))
  return [object('cr', hash), object('cs', hash)]
}
