// Which tests run on Windows, and why the others do not.

/** The files of the ava suite that run there. */
export const FILES = [
  'limit/limit.test.ts',
  'limit/resize.test.ts',
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
  ['lock/locks', 'its helpers ask programs of Unix'],
  ['', 'was not tried on Windows yet'],
]

/** The reason why a file does not run on Windows. */
export function reasonOf(file) {
  return REASONS.find(([start]) => file.startsWith(start))[1]
}

/** Single tests that cannot pass there, by a part of their titles. They run too, and count as skipped only when they fail. */
const TITLES = [
  [
    /a second name with the same key|a key may be written signed|a raw key has no name/,
    'Windows has no keys',
  ],
  [
    /attach to an unused id|attach finds a segment|does not open as a semaphore/,
    'Windows has no keys and ids',
  ],
  [
    /static unlink returns|detach and remove are|outlives the process/,
    'an object of Windows ends with its last handle',
  ],
  [/capabilities list the engines|create makes a limit, open finds/, 'a limit of Windows is a ledger'],
  [/a closed handle refuses every call but close/, 'a limit of Windows is a ledger'],
  [/unlink ends every wait, and every later call/, 'the hint that it expects is about Linux'],
  [
    /info and list report the kernel's facts|info shows what the kernel knows/,
    'Windows has no uids and modes',
  ],
  [/a name may have 250 bytes after its slash/, 'a name on Windows has at most 200 UTF-16 units'],
  [/on the other backend/, 'Windows has one kind of semaphores'],
  [/had a blocked thread of libuv's pool/, 'no wait uses the pool on Windows'],
  [/: a signal( \(windows\))?$/, 'a signal of Windows ends a process with an exit code'],
]

/** The reason why this test need not pass; undefined for a test that has to. */
export function leftOutTitle(title) {
  return TITLES.find(([pattern]) => pattern.test(title))?.[1]
}
