/** Loaded at its first use, so that a command without a name works without the addon. The path starts at the bundle of this file. */
function native(): typeof import('../../native.cjs') {
  return require('../lib/os-ipc.cjs').native
}

/** The System V key of a semaphore's name, slash included; 0 for a name that has none. */
export function keyOf(name: string): number {
  return native().keyOfName(name) as number
}

/** The System V key of a lock's name. */
export function keyOfLock(name: string): number {
  return native().keyOfLock(name) as number
}
