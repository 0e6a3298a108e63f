import test, { type ExecutionContext } from 'ava'

import { capabilities, Semaphore } from '../../../index.js'
import type { Backend, CreateSemaphoreOptions, OpenOrCreateSemaphoreOptions } from '../../../index.js'
import type { NamedSemaphore } from '../../shared/backends.ts'
import { uniqueName } from '../../shared/names.ts'

/** The conformance suite of one backend. */
export interface Suite {
  readonly backend: Backend
  /** `test`, with the backend in the title. */
  test(title: string, implementation: (t: ExecutionContext) => void | Promise<void>): void
  /** A semaphore with a unique name, closed when the test ends. */
  create(
    t: ExecutionContext,
    initial: number,
    options?: Omit<CreateSemaphoreOptions, 'initial'>,
  ): NamedSemaphore
  /** Another handle of the same semaphore. */
  open(t: ExecutionContext, name: string): NamedSemaphore
  openOrCreate(t: ExecutionContext, name: string, options: OpenOrCreateSemaphoreOptions): NamedSemaphore
}

/** Declares the same tests for every backend of this platform. */
export function onEveryBackend(declare: (suite: Suite) => void): void {
  for (const backend of capabilities.semaphoreBackends) declare(suiteOf(backend))
}

function suiteOf(backend: Backend): Suite {
  const closed = (t: ExecutionContext, semaphore: Semaphore) => {
    t.teardown(() => semaphore.close())
    return semaphore as NamedSemaphore
  }
  return {
    backend,
    test: (title, implementation) => test(`${title} (${backend})`, implementation),
    create: (t, initial, options) =>
      closed(t, Semaphore.create(uniqueName(t), { initial, ...options, backend })),
    open: (t, name) => closed(t, Semaphore.open(name, { backend })),
    openOrCreate: (t, name, options) => closed(t, Semaphore.openOrCreate(name, { ...options, backend })),
  }
}

/** The counter; where the platform cannot read it, the number of units that tryWait takes. */
export function unitsOf(semaphore: Semaphore): number {
  if (capabilities.value[semaphore.backend]) return semaphore.value
  let units = 0
  while (semaphore.tryWait()) units += 1
  if (units > 0) semaphore.post(units)
  return units
}
