import { flushCompileCache } from 'node:module'
import { getSystemErrorName } from 'node:util'

import type { Native } from '../../lib/addon/native.js'
import type { Word } from '../core/words.js'
import { openFiles } from './descriptors.js'
import { HAND_ON, type HeldPermit } from './permits.js'
import { spawnFailure } from './program.js'
import { environment, IGNORED_SIGNALS, MOST_OPEN, NONBLOCKING } from './start.js'

/** Whether this process can become a program: Windows has no execve(2), and Node's permission model asks for --allow-child-process. */
export function mayBecome(): boolean {
  if (process.platform === 'win32') return false
  const { permission } = process as { permission?: { has(scope: string): boolean } }
  return permission?.has('child') ?? true
}

/**
 * Becomes the command, which then has the permit: execve(2). The process stays, with all that it holds in the kernel; nothing of
 * os-ipc stays.
 *
 * @throws {Failure} 126 or 127 when the command could not be started.
 */
export function become(native: Native, command: readonly Word[], permit: HeldPermit): never {
  // With NODE_COMPILE_CACHE, Node writes what it compiled when a process ends, which this one does not.
  flushCompileCache?.()
  permit[HAND_ON]?.(true)
  const errno = native.becomeProgram(
    zeroEnded(command),
    zeroEnded(environment()),
    [...IGNORED_SIGNALS],
    openFiles(),
    [...NONBLOCKING],
    MOST_OPEN,
  )
  permit[HAND_ON]?.(false)
  const code = typeof errno === 'number' ? getSystemErrorName(-errno) : errno
  throw spawnFailure(command[0] ?? '', Object.assign(new Error(code), { code }))
}

/** The words as C strings, one after the other. */
function zeroEnded(words: readonly Word[]): Buffer {
  return Buffer.concat(words.flatMap(word => [Buffer.from(word as string), Buffer.of(0)]))
}
