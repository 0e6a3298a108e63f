import test, { type ImplementationFn } from 'ava'

import { all, type Need } from './needs.ts'

export * from './needs.ts'

/**
 * `test` where every need is met; otherwise `test.skip` with the reason in the title, so that the output shows it and counts
 * it as skipped.
 *
 * @example
 * ```ts
 * requires(asUser(65534))('another user is refused', async t => { ... })
 * ```
 */
export function requires(...needs: readonly Need[]): ConditionalTest {
  const missing = all(...needs).missing
  const declare =
    (run: typeof test | typeof test.serial) =>
    (title: string, implementation: ImplementationFn<[]>): void => {
      if (missing === undefined) run(title, implementation)
      else run.skip(`${title} [skipped: ${missing}]`, implementation)
    }
  return Object.assign(declare(test), { serial: declare(test.serial) })
}

type Declare = (title: string, implementation: ImplementationFn<[]>) => void

/** Declares a test; `serial` declares one that runs alone, before the others of its file. */
export type ConditionalTest = Declare & { serial: Declare }
