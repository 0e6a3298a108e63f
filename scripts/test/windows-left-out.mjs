// The tests that do not run on Windows, or cannot pass under Wine, each with its reason.

/** Files of tests that are about another platform's own matter. */
export const leftOutFiles = {}

/** Single tests, by a part of their titles. They run too, and count as skipped only when they fail. */
const TITLES = []

/** The reason why this test need not pass; undefined for a test that has to. */
export function leftOutTitle(title) {
  return TITLES.find(([pattern]) => pattern.test(title))?.[1]
}
