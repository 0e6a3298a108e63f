// Which tests do not run on Windows, and why.

/** The files of the ava suite that do not run there, and the reason. */
const FILES = [
  [/^redis\//, 'a Redis server does not run under Wine'],
  [/^postgres\//, 'a PostgreSQL server does not run under Wine'],
  [/^project\//, 'is about the repository, not about the platform'],
  [/^addon\/loading\./, 'its binary is that of Linux'],
  [
    /^channel\/interleavings\./,
    'replaces memory, semaphores, clock and addon: it finds the same on every platform',
  ],
  [
    /^(hosts\/|limit\/ledger-(hosts|nonsense)\.|lock\/(exec|kernel-undo)\.|memory\/(planted|sigbus|truncated)\.|semaphore\/record\.)/,
    'each of its tests is about files, system calls or containers of Linux',
  ],
  [/^memory\/interop\./, 'the programs of other languages are compiled for Linux'],
  [/^waiting\/(glance|spin)\./, 'no event loop of Windows polls for units'],
  [/^cli\/(?!windows\.)/, 'runs lines of a Unix shell; cli/windows.test.ts is the one for Windows'],
  [/\/peers\.test/, 'the programs of other languages are compiled for Linux'],
]

/** The reason why a file does not run on Windows; undefined for one that does. */
export function reasonOf(file) {
  return FILES.find(([pattern]) => pattern.test(file))?.[1]
}

/** The test programs of the core that do not run there, and the reason. */
const CORE = [
  [/\/(leave_pool|pool|poll|spin_off)\.rs$/, 'on Windows no thread of an event loop or of a pool waits'],
  [/\/memory_files\.rs$/, 'memory of Windows has no files'],
]

/** The reason why a test program of the core does not run on Windows; undefined for one that does. */
export function coreReasonOf(file) {
  return CORE.find(([pattern]) => pattern.test(file))?.[1]
}

/** The promises of the stress runs that are not tried there, and the reason. */
const PROMISES = [
  [/^(errnos|limits|planted|full-memory|truncated-memory)$/, 'is about calls, limits and files of Linux'],
  [/^killed-postgres$/, 'a PostgreSQL server does not run under Wine'],
  [/^conserved-value$/, 'its programs in Go and Python are compiled for Linux'],
  [/^killed-creators$/, 'its creator is compiled for Linux'],
  [/^model$/, 'the ava suite tries the same'],
  [/^(fairness|readfile|timeouts)$/, 'Wine is too slow for what it measures'],
]

/** The reason why a promise is not tried on Windows; undefined for one that is. */
export function promiseReasonOf(name) {
  return PROMISES.find(([pattern]) => pattern.test(name))?.[1]
}

/** Single tests that cannot pass there, by a part of their titles. They run too, and count as skipped only when they fail. */
const TITLES = [
  [
    /static unlink returns|detach and remove are|outlives the process/,
    'an object of Windows ends with its last handle',
  ],
  [
    /info and list report the kernel's facts|info shows what is known about a limit/,
    'Windows has no uids and modes',
  ],
  [
    /a name may have 250 bytes after its slash|a name of a (semaphore|memory) is taken or refused/,
    'a name on Windows has at most 200 UTF-16 units',
  ],
  [/on the other backend/, 'Windows has one kind of semaphores'],
  [/had a blocked thread of libuv's pool/, 'no wait uses the pool on Windows'],
]

/** The reason why this test need not pass; undefined for a test that has to. */
export function leftOutTitle(title) {
  return TITLES.find(([pattern]) => pattern.test(title))?.[1]
}
