// The names of the objects of a channel, written a second time on purpose: docs/interop.md says how they come about.

/** FNV-1a 64 over bytes, as 16 digits. */
function hash(bytes: Uint8Array): string {
  let value = 0xcbf29ce484222325n
  for (const byte of bytes) value = ((value ^ BigInt(byte)) * 0x100000001b3n) % 2n ** 64n
  return value.toString(16).padStart(16, '0')
}

/** The memory object of a channel. */
export function memoryName(channel: string): string {
  return `/os-ipc.ch.${hash(Buffer.from(channel))}`
}

/** The semaphores of a channel with this instance. */
export function wakeNames(channel: string, instance: Uint8Array): [receivers: string, senders: string] {
  const digits = hash(Buffer.concat([Buffer.from(channel), instance]))
  return [`/os-ipc.cr.${digits}`, `/os-ipc.cs.${digits}`]
}
