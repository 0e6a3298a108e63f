import type { Teardown } from '../__test__/shared/names.ts'
import type { Need } from '../__test__/shared/needs.ts'

/** Something that the README says, and how it is tried. One file of `promises/` is one of these. */
export interface Promised {
  /** What is promised, as the table says it. */
  readonly promise: string
  /** How often it is tried: in the long run, and in the short one that `npm test` contains. */
  readonly trials: { readonly long: number; readonly short: number }
  /** What it cannot do without; where that is missing it is skipped, and says so. */
  readonly needs?: Need
  /** Seconds until it counts as hung; 300. */
  readonly limit?: number
  /** Tries it, and answers the figures of the table. */
  run(trial: Trial): Promise<string>
}

/** What a promise is tried with. */
export interface Trial extends Teardown {
  readonly long: boolean
  /** How many trials to make. */
  readonly count: number
  /** `made` trials more were made. */
  made(trials?: number): void
  /** Something was lost: the promise does not hold. */
  lost(what: string): void
}

/** What came of it. */
export interface Outcome {
  readonly name: string
  readonly promise: string
  readonly trials: number
  readonly lost: readonly string[]
  readonly figures: string
  readonly seconds: number
  /** Why it was not tried. */
  readonly skipped?: string | undefined
}

/** Fails the promise unless `ok`. */
export function expect(trial: Trial, ok: boolean, what: () => string): void {
  if (!ok) trial.lost(what())
}
