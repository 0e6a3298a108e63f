import { inspect } from 'node:util'

import { checked } from '../errors.js'
import { native, reason } from './native.js'
import { BACKENDS } from '../options.js'
import type { BackendCapabilities } from '../../native.cjs'
import type { Backend } from '../options.js'

/** A fact of each backend. */
export type PerBackend = Readonly<Record<Backend, boolean>>

/**
 * What this platform can do: a fact to look up, never a silent difference.
 *
 * `semaphoreBackends`, `crashRecovery` and `locks` depend on the kernel, which is asked when one of them is first read.
 */
export interface Capabilities {
  /** Whether the native addon has loaded. Where it has not, every call throws `ERR_NATIVE_BINDING`. */
  readonly supported: boolean
  /** Why the addon has not loaded and what to do about it; `undefined` where it has. */
  readonly reason: string | undefined
  /** Operating system and processor, as `'linux-x64'`. */
  readonly platform: string
  /** The backends that semaphores can have here; without `'sysv'` where a filter of system calls refuses it. */
  readonly semaphoreBackends: readonly Backend[]
  /** The one that a name means when no `backend` is given. */
  readonly defaultBackend: Backend
  /** Whether the kernel ends a wait by the clock. Where it does not, timeouts work all the same, by our own clock. */
  readonly timedWait: PerBackend
  /** Whether a dead process's permits come back. Some sandboxes accept `SEM_UNDO` and ignore it: gVisor does. */
  readonly crashRecovery: PerBackend
  /** Whether `value` can be read. */
  readonly value: PerBackend
  /** Whether `unlink` wakes those who wait. */
  readonly unlinkWakes: PerBackend
  /** What {@link locks} are made of: System V semaphores, or files with flock(2). A dead process's are free with both. */
  readonly locks: 'sysv' | 'files'
  /** Whether objects outlive their last user. Where they do, they stay until somebody removes them or the host restarts. */
  readonly persistent: boolean
  /** Whether {@link list} can say what there is. */
  readonly list: boolean
  /** Whether this runtime allows {@link SharedMemory.buffer}; Electron does not. */
  readonly externalBuffers: boolean
}

const supported = reason === undefined

let known: readonly BackendCapabilities[] | undefined

/** What the core knows of each backend; throws `ERR_NATIVE_BINDING` where there is no addon. */
function backends(): readonly BackendCapabilities[] {
  known ??= checked(native.semaphoreCapabilities())
  return known
}

/** The largest value that a counter of this backend has. */
export function valueMax(backend: Backend): number {
  return backends().find(({ name }) => name === backend)?.valueMax ?? 0
}

/** The backends of which a fact is true; none on a platform without the addon. */
function those(fact: (backend: BackendCapabilities) => boolean): readonly Backend[] {
  return supported
    ? backends()
        .filter(fact)
        .map(({ name }) => name)
    : []
}

function perBackend(isTrue: readonly Backend[]): PerBackend {
  const facts = BACKENDS.map(name => [name, isTrue.includes(name)])
  return Object.freeze(Object.fromEntries(facts) as Record<Backend, boolean>)
}

/**
 * What this platform can do.
 *
 * @example
 * ```ts
 * if (!capabilities.supported) console.warn(capabilities.reason)
 * ```
 */
export const capabilities: Capabilities = Object.freeze({
  supported,
  reason,
  platform: `${process.platform}-${process.arch}`,
  get semaphoreBackends() {
    const refused = (name: Backend) => name === 'sysv' && !checked(native.systemVUndo()).available
    return Object.freeze(those(({ name, available }) => available && !refused(name)))
  },
  defaultBackend: those(({ isDefault }) => isDefault)[0] ?? 'posix',
  timedWait: perBackend(those(({ hasTimedWait }) => hasTimedWait)),
  get crashRecovery() {
    // A POSIX semaphore has no owner.
    const recovers = (name: Backend) => name === 'sysv' && checked(native.systemVUndo()).recoversPermits
    return perBackend(those(({ name, available }) => available && recovers(name)))
  },
  value: perBackend(those(({ hasValue }) => hasValue)),
  unlinkWakes: perBackend(those(({ unlinkWakes }) => unlinkWakes)),
  get locks() {
    return supported && checked(native.locksAreSystemV()) ? 'sysv' : 'files'
  },
  persistent: supported && checked(native.objectsPersist()),
  // What System V objects there are stands in /proc; darwin, which has none of ours, tells of nothing.
  list: those(({ name, available }) => name === 'sysv' && available).length > 0,
  externalBuffers: checked(native.externalBuffersAllowed()),
  // Shows the facts where Node.js would print `[Getter]`.
  [inspect.custom](this: Capabilities) {
    return Object.fromEntries(Object.entries(this))
  },
})
