import test, { type ExecutionContext } from 'ava'

import { capabilities, Limit, type Permit, Semaphore, type WaitOptions } from '../../../index.js'
import type { Backend } from '../../../index.js'
import { ownLimit } from '../../limit/helpers/own.ts'
import { ownSemaphore } from '../../shared/backends.ts'
import { unitsOf } from '../../semaphore/helpers/suite.ts'

/** A semaphore whose units are taken, or a limit whose permits are. */
export interface Taker {
  readonly source: Semaphore | Limit
  take(options?: WaitOptions): Promise<void | Permit>
  /** Gives one from elsewhere: posts a unit, or releases a permit that another handle holds. */
  give(): void
  /** How many are there. */
  free(): number
}

export interface TakerSuite {
  readonly method: 'wait' | 'acquire'
  /** What messages have as `backend` and as `permit`. */
  readonly backend: Backend
  readonly permit: boolean
  /** `test`, with the kind in the title. */
  test(title: string, implementation: (t: ExecutionContext) => void | Promise<void>): void
  /** So many are there; 2 can be given. It is closed when the test ends. */
  create(t: ExecutionContext, free: number): Taker
}

/** Declares the same tests for `wait` of semaphores and `acquire` of limits. */
export function onEveryTaker(declare: (suite: TakerSuite) => void): void {
  for (const backend of capabilities.semaphoreBackends) {
    declare({
      ...{ method: 'wait', backend, permit: false },
      test: (title, implementation) => test(`${title} (${backend})`, implementation),
      create: (t, free) => takerOfUnits(t, backend, free),
    })
  }
  for (const engine of capabilities.limits.engines) {
    declare({
      ...{ method: 'acquire', backend: engine as Backend, permit: true },
      test: (title, implementation) => test(`${title} (limit, ${engine})`, implementation),
      create: takerOfPermits,
    })
  }
}

function takerOfUnits(t: ExecutionContext, backend: Backend, free: number): Taker {
  const semaphore = ownSemaphore(t, backend, free)
  const other = Semaphore.open(semaphore.name, { backend })
  t.teardown(() => other.close())
  return {
    source: semaphore,
    take: options => semaphore.wait(options),
    give: () => other.post(),
    free: () => unitsOf(other),
  }
}

function takerOfPermits(t: ExecutionContext, free: number): Taker {
  const limit = ownLimit(t, free + 2)
  const other = Limit.open(limit.name)
  t.teardown(() => other.close())
  const held = [other.tryAcquire(), other.tryAcquire()]
  return {
    source: limit,
    take: options => limit.acquire(options),
    give: () => held.pop()?.release(),
    free: () => other.info().free,
  }
}
