import type { Limit, Owner, Semaphore, SharedMemory } from '../../index.js'
import type { Library } from './command.js'
import { about, type Subject } from './explain.js'
import { usage } from './failure.js'
import { libraryId, target } from './target.js'

/** The options for the backend of a semaphore and its allowed owner. */
export interface SemaphoreChoice {
  readonly posix?: boolean
  readonly owner?: Owner | undefined
}

/** A NAME as the subject of an operation on a semaphore. */
export function semaphoreSubject(name: string, { posix = false }: SemaphoreChoice = {}): Subject {
  const meant = target(name)
  if (posix && meant.type !== 'name') throw usage('a POSIX semaphore has a name, not a key')
  return { type: 'semaphore', target: meant, posix }
}

/** Opens a semaphore that exists. */
export function openSemaphore(ipc: Library, subject: Subject, { owner }: SemaphoreChoice): Semaphore {
  return about(ipc, subject, () =>
    ipc.Semaphore.open(libraryId(subject.target), { backend: backendOf(subject), owner }),
  )
}

/** A NAME as the subject of an operation on a limit. */
export function limitSubject(name: string): Subject {
  return { type: 'limit', target: target(name) }
}

/** Opens a limit that exists. */
export function openLimit(ipc: Library, subject: Subject, { owner }: { owner?: Owner | undefined }): Limit {
  return about(ipc, subject, () => ipc.Limit.open(libraryId(subject.target), { owner }))
}

/** The backend that a subject means: `posix` when it says so, else the platform's. */
export function backendOf({ posix }: Subject): 'posix' | undefined {
  return posix ? 'posix' : undefined
}

/** A NAME as the subject of an operation on a channel. */
export function channelSubject(name: string): Subject {
  const meant = target(name)
  if (meant.type === 'id') throw usage('a channel has a name, not an id')
  // The name of a channel may be a number: it has no key.
  return meant.type === 'name' ? { type: 'channel', target: meant } : channelSubject(`/${name}`)
}

/** A NAME as the subject of an operation on memory. */
export function memorySubject(name: string): Subject {
  return { type: 'memory', target: target(name) }
}

/** Opens memory that exists. */
export function openMemory(
  ipc: Library,
  subject: Subject,
  options: { readOnly?: boolean; owner?: Owner | undefined },
): SharedMemory {
  const { target } = subject
  return about(ipc, subject, () =>
    target.type === 'id'
      ? ipc.SharedMemory.attach(target.id, options)
      : ipc.SharedMemory.open(libraryId(target), options),
  )
}
