const OFFSET_BASIS = 0xcbf29ce484222325n
const PRIME = 0x100000001b3n

/** FNV-1a 64 over bytes, continued from an earlier hash. */
function fnv1a64(bytes: Iterable<number>, start = OFFSET_BASIS): bigint {
  let hash = start
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME)
  return hash
}

/** The prefix of the names of the memory objects of channels. */
export const MEMORY_PREFIX = '/os-ipc.ch.'

/** The name of the memory object of a channel. */
export function memoryName(name: string): string {
  return MEMORY_PREFIX + digits(fnv1a64(Buffer.from(name)))
}

/**
 * The names of the semaphores that wake receivers and senders. They contain the instance, so a new channel of the same
 * name has other semaphores.
 */
export function wakeNames(name: string, instance: bigint): { receivers: string; senders: string } {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(instance)
  const hash = digits(fnv1a64(bytes, fnv1a64(Buffer.from(name))))
  return { receivers: `/os-ipc.cr.${hash}`, senders: `/os-ipc.cs.${hash}` }
}

function digits(hash: bigint): string {
  return hash.toString(16).padStart(16, '0')
}
