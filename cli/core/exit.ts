/** The exit codes. `run` and `lock` pass on the code of their command, and use the codes of env(1) and timeout(1) for errors. */
export const EXIT = {
  ok: 0,
  /** The answer is no: no unit to take, problems found, or an object not removed. */
  no: 1,
  usage: 2,
  absent: 3,
  forbidden: 4,
  failed: 5,
  timeout: 124,
  /** `run` and `lock`: os-ipc itself failed, and the command did not run. */
  notRun: 125,
  notExecutable: 126,
  notFound: 127,
  /** A signal ended the command: 128 plus the number of the signal. */
  signal: 128,
} as const

/** An exit code and what it means, as the help and docs/cli.md show it. */
export type ExitMeaning = readonly [code: string, meaning: string]

/** The codes of every command that does not run another one. */
export const COMMON_EXITS: readonly ExitMeaning[] = [
  ['0', 'done'],
  ['2', 'the command line is wrong'],
  ['3', 'no such object exists'],
  ['4', 'no permission, or the object belongs to another user'],
  ['5', 'another failure, such as a limit of the host'],
]

/** The codes of `run` and `lock`. */
export const RUNNER_EXITS: readonly ExitMeaning[] = [
  [
    'of COMMAND',
    'the exit code of the command; if a signal ended it, the same signal ends os-ipc, or the code is 128 plus its number',
  ],
  ['124', '--timeout expired; --wait-code changes this code'],
  ['125', 'os-ipc failed, or its command line is wrong; the command did not run'],
  ['126', 'the command exists and cannot be executed'],
  ['127', 'the command was not found'],
]
