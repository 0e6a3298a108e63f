/** The System V key of a semaphore's name: FNV-1a 32 over its UTF-8 bytes, slash included, as a signed number. */
export function keyOf(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash | 0
}

/** The System V key of a lock's name. */
export function keyOfLock(name: string): number {
  return keyOf(`os-ipc:lock:${name}`)
}
