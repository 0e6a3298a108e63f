import { acquiring } from './acquiring.js'
import { closing } from './closing.js'
import { giving } from './giving.js'
import { losing } from './losing.js'
import { Stage } from './stage.js'
import { checkSubject, type PermitSourceSubject } from './subject.js'
import { using } from './using.js'

/** A behaviour of a `PermitSource`. */
export interface PermitSourceCase {
  /** The behaviour, as a sentence. */
  readonly title: string
  /** Resolves when the source behaves so; rejects with an AssertionError when it does not. */
  readonly run: () => Promise<void>
}

/** The cases of one part, by title. */
export type Cases = Readonly<Record<string, (stage: Stage) => Promise<void>>>

/**
 * All behaviour that code may rely on when it takes its permits from any `PermitSource`, as tests that need no framework.
 *
 * The cases are independent of each other. ava needs its own assertion: `test(title, t => t.notThrowsAsync(run))`.
 *
 * @example
 * ```ts
 * for (const { title, run } of permitSourceCases(subject)) test(title, run)
 * ```
 */
export function permitSourceCases(subject: PermitSourceSubject): PermitSourceCase[] {
  const { lose } = checkSubject(subject)
  const cases = { ...acquiring, ...giving, ...using, ...closing, ...(lose && losing) }
  return Object.entries(cases).map(([title, body]) => ({
    title,
    run: async () => {
      const stage = new Stage(subject)
      try {
        await body(stage)
      } finally {
        await stage.clear()
      }
    },
  }))
}
