import type { Teardown } from '../__test__/shared/names.ts'
import type { Need } from '../__test__/shared/needs.ts'

/** A promise of the README, and its trial. Each file of `promises/` exports one. */
export interface Promised {
  /** The promise, as it stands in the table. */
  readonly promise: string
  /** The number of trials in the long run, and in the short run that is part of `npm test`; 0 where another part makes it. */
  readonly trials: { readonly long: number; readonly short: number }
  /** The needs of the trial; when one is missing, the promise is reported as skipped. */
  readonly needs?: Need
  /** Makes this process create what the package keeps after its first use. */
  prepare?(): Promise<void>
  /** The seconds after which the trial counts as hung; 300 when missing. */
  readonly limit?: number
  /** Tries the promise, and returns the figures for the table. */
  run(trial: Trial): Promise<string>
}

/** The tools of a trial. */
export interface Trial extends Teardown {
  readonly long: boolean
  /** The number of trials to make. */
  readonly count: number
  /** Reports that `made` more trials were made. */
  made(trials?: number): void
  /** Reports a loss: the promise does not hold. */
  lost(what: string): void
}

/** The outcome of a trial. */
export interface Outcome {
  readonly name: string
  readonly promise: string
  readonly trials: number
  readonly lost: readonly string[]
  readonly figures: string
  readonly seconds: number
  /** The reason why the promise was not tried. */
  readonly skipped?: string | undefined
}

/** Fails the promise unless `ok`. */
export function expect(trial: Trial, ok: boolean, what: () => string): void {
  if (!ok) trial.lost(what())
}
