// Which tests run on Windows, and why the others do not.

/** The files of the ava suite that run there. */
export const FILES = [
  'limit/limit.test.ts',
  'limit/resize.test.ts',
  'lock/locks.test.ts',
  'memory/shared-memory.test.ts',
  'semaphore/semaphore.test.ts',
  'waiting/abort.test.ts',
  'waiting/exit.test.ts',
  'waiting/sync.test.ts',
  'waiting/timeout.test.ts',
  'waiting/workers.test.ts',
]

/** The reasons of the other files, by the start of their paths; the first one that fits counts. */
const REASONS = [
  ['redis/', 'a Redis server does not run under Wine'],
  ['postgres/', 'a PostgreSQL server does not run under Wine'],
  ['project/', 'is about the repository, not about the platform'],
  ['peers', 'the programs of other languages are compiled for Linux'],
  ['', 'was not tried on Windows yet'],
]

/** The reason why a file does not run on Windows. */
export function reasonOf(file) {
  return REASONS.find(([start]) => file.startsWith(start))[1]
}

/** Single tests that cannot pass there, by a part of their titles. They run too, and count as skipped only when they fail. */
const TITLES = []

/** The reason why this test need not pass; undefined for a test that has to. */
export function leftOutTitle(title) {
  return TITLES.find(([pattern]) => pattern.test(title))?.[1]
}
