import type { Library } from './command.js'
import type { Subject } from './explain.js'
import { Failure } from './failure.js'

/**
 * Fails if this command has just made an object and the system keeps no object that no process has open, as on Windows: the
 * object ends with os-ipc.
 */
export function checkKept(
  { capabilities }: Library,
  { created }: { readonly created: boolean },
  { type, target }: Subject,
): void {
  if (!created || capabilities.persistent) return
  throw new Failure(
    `the ${type} ${target.label} ends with os-ipc: this system keeps no object that no process has open`,
    'create it in the program that uses it',
  )
}
