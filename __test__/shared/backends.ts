import type { ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { uniqueName } from './names.ts'

export type Backend = 'sysv' | 'posix'

/** Both kinds of semaphores; one suite runs over them. */
export const backends: readonly Backend[] = ['sysv', 'posix']

/** A semaphore that was opened by a name, not by a key. */
export type NamedSemaphore = Semaphore & { readonly name: string }

/** A new semaphore for a test; closed and removed when the test ends. */
export function ownSemaphore(t: ExecutionContext, backend: Backend = 'sysv', initial = 0): NamedSemaphore {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial, backend })
  t.teardown(() => semaphore.close())
  return semaphore as NamedSemaphore
}
