import { native } from '../../lib/addon/native.js'

/** The System V key of a semaphore's name, slash included; 0 for a name that has none. */
export function keyOf(name: string): number {
  return native.keyOfName(name) as number
}

/** The System V key of a lock's name. */
export function keyOfLock(name: string): number {
  return native.keyOfLock(name) as number
}
