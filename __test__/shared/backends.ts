import type { ExecutionContext } from 'ava'

import { Semaphore } from '../../index.js'
import { uniqueName } from './names.ts'

export type Backend = 'sysv' | 'posix' | 'windows'

/** The kinds of semaphores of this platform; one suite runs over them. */
export const backends: readonly Backend[] = process.platform === 'win32' ? ['windows'] : ['sysv', 'posix']

/** The kind that a test takes that is about no kind. */
const ANY = backends[0] as Backend

/** A semaphore that was opened by a name, not by a key. */
export type NamedSemaphore = Semaphore & { readonly name: string }

/** A new semaphore for a test; closed and removed when the test ends. */
export function ownSemaphore(t: ExecutionContext, backend: Backend = ANY, initial = 0): NamedSemaphore {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial, backend })
  t.teardown(() => semaphore.close())
  return semaphore as NamedSemaphore
}
