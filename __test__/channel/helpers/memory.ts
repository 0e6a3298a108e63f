import { SharedMemory } from '../../../index.js'

/** The name of the memory object of a channel, as docs/interop.md defines it. */
export function memoryName(name: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return `/os-ipc.ch.${hash.toString(16).padStart(16, '0')}`
}

/** The memory of a channel. */
export function memoryOf(name: string): SharedMemory {
  return SharedMemory.open(memoryName(name))
}
