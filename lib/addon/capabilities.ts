import { inspect } from 'node:util'

import { checked } from '../errors.js'
import { native, reason } from './native.js'
import type { LimitEngine } from '../limit/engine.js'
import { BACKENDS } from '../options.js'
import type { BackendCapabilities } from '../../native.cjs'
import type { Backend } from '../options.js'

/** A fact about each backend. */
export type PerBackend = Readonly<Record<Backend, boolean>>

/** The engines of limits, and what happens to the permits of a dead process. */
export interface LimitCapabilities {
  /** The engines that a limit can have here. If there are none, `Limit` throws `ERR_NOT_SUPPORTED`. */
  readonly engines: readonly LimitEngine[]
  /**
   * The engine of a new limit when no `engine` is given: `'sysv'` if the kernel gives back the permits of a dead process,
   * otherwise `'ledger'`. Some sandboxes, such as gVisor, accept `SEM_UNDO` and ignore it.
   */
  readonly default: LimitEngine | undefined
  /** Whether the permits of a dead process come back in the default engine. */
  readonly crashRecovery: boolean
}

/**
 * The features of this platform. Each difference between platforms is a fact here.
 *
 * `semaphoreBackends`, `limits` and `locks` depend on the kernel. The package asks the kernel when one of them is first
 * read.
 */
export interface Capabilities {
  /** Whether the native addon has loaded. If it has not, every call throws `ERR_NATIVE_BINDING`. */
  readonly supported: boolean
  /** The reason why the addon has not loaded, and the remedy; `undefined` if it has loaded. */
  readonly reason: string | undefined
  /** The operating system and the processor, such as `'linux-x64'`. */
  readonly platform: string
  /** The backends that semaphores can have here; `'sysv'` is missing if a filter of system calls refuses it. */
  readonly semaphoreBackends: readonly Backend[]
  /** The backend of a name when no `backend` is given. */
  readonly defaultBackend: Backend
  /** Whether the kernel ends a wait at its deadline. If it does not, the package ends the wait by its own clock. */
  readonly timedWait: PerBackend
  /** The features of {@link Limit} on this platform. */
  readonly limits: LimitCapabilities
  /** Whether `value` can be read. */
  readonly value: PerBackend
  /** Whether `unlink` wakes the waiters. */
  readonly unlinkWakes: PerBackend
  /**
   * What {@link locks} are made of: System V semaphores, or files with flock(2) (on Windows, LockFileEx). In both cases
   * the locks of a dead process are free.
   */
  readonly locks: 'sysv' | 'files'
  /** Whether objects outlive their last user. If they do, they stay until a program removes them or the host restarts. */
  readonly persistent: boolean
  /** Whether {@link list} can list the objects of this host. */
  readonly list: boolean
  /** Whether this runtime allows {@link SharedMemory.buffer}. Electron does not. */
  readonly externalBuffers: boolean
  /** Whether this runtime allows {@link SharedMemory.shared}: Bun and recent Node.js do; Deno, Electron and older Node.js do not. */
  readonly sharedBuffers: boolean
}

const supported = reason === undefined

const NO_LIMITS: LimitCapabilities = Object.freeze({
  engines: Object.freeze([]),
  default: undefined,
  crashRecovery: false,
})

let known: readonly BackendCapabilities[] | undefined

/** The core's facts about each backend; throws `ERR_NATIVE_BINDING` where there is no addon. */
function backends(): readonly BackendCapabilities[] {
  known ??= checked(native.semaphoreCapabilities())
  return known
}

/** The largest value of any counter: the error then comes from the call itself if the backend is missing here. */
const MOST = 2 ** 31 - 1

/** The largest value of a counter of this backend. */
export function valueMax(backend: Backend): number {
  return backends().find(({ name }) => name === backend)?.valueMax || MOST
}

/** The largest count of one post. */
export function postMax(backend: Backend): number {
  return backends().find(({ name }) => name === backend)?.postMax || MOST
}

/** The backends for which a fact is true; none on a platform without the addon. */
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
 * The features of this platform.
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
  get limits() {
    if (!supported) return NO_LIMITS
    const { engines, ofHost, recovers } = checked(native.limitEngines())
    return Object.freeze({
      engines: Object.freeze(Array.from(engines) as LimitEngine[]),
      default: ofHost as LimitEngine | undefined,
      crashRecovery: recovers,
    })
  },
  value: perBackend(those(({ hasValue }) => hasValue)),
  unlinkWakes: perBackend(those(({ unlinkWakes }) => unlinkWakes)),
  get locks() {
    return supported && checked(native.locksAreSystemV()) ? 'sysv' : 'files'
  },
  persistent: supported && checked(native.objectsPersist()),
  // Linux lists the System V objects in /proc, and Windows its named objects. On darwin there is no list.
  list: those(({ name, available }) => name !== 'posix' && available).length > 0,
  externalBuffers: checked(native.externalBuffersAllowed()),
  get sharedBuffers() {
    return supported && checked(native.sharedBuffersAllowed())
  },
  // Shows the facts; Node.js would print `[Getter]`.
  [inspect.custom](this: Capabilities) {
    return Object.fromEntries(Object.entries(this))
  },
})
