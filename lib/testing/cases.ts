import { acquiring } from './acquiring.js'
import { closing } from './closing.js'
import { giving } from './giving.js'
import { losing } from './losing.js'
import { Stage } from './stage.js'
import type { PermitSourceSubject } from './subject.js'
import { using } from './using.js'

/** One thing that a `PermitSource` does. */
export interface PermitSourceCase {
  /** A sentence. */
  readonly title: string
  /** Resolves when it is so; rejects with an AssertionError when it is not. */
  readonly run: () => Promise<void>
}

/** What a case is made of. */
export type Cases = Readonly<Record<string, (stage: Stage) => Promise<void>>>

/**
 * Everything that code may rely on that takes its permits from any `PermitSource`, as tests that need no framework.
 *
 * They are independent of each other. For ava, which wants an assertion of its own: `test(title, t => t.notThrowsAsync(run))`.
 *
 * @example
 * ```ts
 * for (const { title, run } of permitSourceCases(subject)) test(title, run)
 * ```
 */
export function permitSourceCases(subject: PermitSourceSubject): PermitSourceCase[] {
  const cases = { ...acquiring, ...giving, ...using, ...closing, ...(subject.lose && losing) }
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
