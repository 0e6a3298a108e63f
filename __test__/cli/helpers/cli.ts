import { chmodSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Limit } from '../../../index.js'
import { type Child, type ChildOptions, type Exit, program } from '../../shared/child.ts'
import type { Teardown } from '../../shared/names.ts'
import { tool } from '../../shared/needs.ts'
import { folder } from '../../shared/project.ts'

/** The program that the package's `bin` names. */
export const OS_IPC = fileURLToPath(new URL('../../../cli/os-ipc.cjs', import.meta.url))

const TERMINAL = fileURLToPath(new URL('terminal.py', import.meta.url))

/** The environment variables that would make output differ from machine to machine. */
const PLAIN = { NO_COLOR: undefined, FORCE_COLOR: undefined, LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' }

export interface CliOptions extends ChildOptions {
  /** The Node that runs it; the Node of the tests when missing. */
  node?: string
  /** Options of Node itself. */
  nodeArgs?: readonly string[]
}

/** Starts `os-ipc` with these arguments. */
export function start(t: Teardown, args: readonly (string | number)[], options: CliOptions = {}): Child {
  const { node = process.execPath, nodeArgs = [], env, ...rest } = options
  const argv = [node, ...nodeArgs, OS_IPC, ...args.map(String)]
  return program(t, argv, { ...rest, env: { ...PLAIN, ...env } })
}

/** Runs `os-ipc` to its end. */
export function cli(t: Teardown, args: readonly (string | number)[], options?: CliOptions): Promise<Exit> {
  return start(t, args, options).exit
}

/** Runs `os-ipc` with a text as its standard input. */
export function cliWith(t: Teardown, input: string, args: readonly (string | number)[]): Promise<Exit> {
  const command = [process.execPath, OS_IPC, ...args.map(String)]
  const child = program(t, ['sh', '-c', 'printf %s "$1" | { shift; "$@"; }', 'sh', input, ...command], {
    env: PLAIN,
  })
  return child.exit
}

/** Runs a line of a shell in which `os-ipc` is the command; bash, for `pipefail`. */
export function shell(t: Teardown, line: string, options: ChildOptions = {}): Promise<Exit> {
  const script = `os-ipc() { "${process.execPath}" "${OS_IPC}" "$@"; }; ${line}`
  return program(t, ['bash', '-c', script], { ...options, env: { ...PLAIN, ...options.env } }).exit
}

/** A PATH with `os-ipc` as npm installs it, an executable link to the file of `bin`, and this Node. */
export function installed(t: Teardown): string {
  const home = folder(t)
  chmodSync(OS_IPC, 0o755)
  symlinkSync(OS_IPC, join(home, 'os-ipc'))
  symlinkSync(process.execPath, join(home, 'node'))
  return `${home}:${process.env.PATH}`
}

/** Runs a line of bash in which `os-ipc` is installed. */
export function installedShell(t: Teardown, line: string, options: ChildOptions = {}): Promise<Exit> {
  const env = { ...PLAIN, PATH: installed(t), ...options.env }
  return program(t, ['bash', '-c', line], { ...options, env }).exit
}

/** The number of free permits of a limit. */
export function freeOf(name: string): number {
  const limit = Limit.open(name)
  try {
    return limit.info().free
  } finally {
    limit.close()
  }
}

/** One line of JSON. */
export async function json<T>(
  t: Teardown,
  args: readonly (string | number)[],
  options?: CliOptions,
): Promise<T> {
  const { stdout, stderr } = await cli(t, args, options)
  try {
    return JSON.parse(stdout) as T
  } catch {
    throw new Error(`no JSON: ${stdout}${stderr}`)
  }
}

/** One step of a terminal; `terminal.py` describes them. */
export type Step =
  | { type: string }
  | { until: string }
  | { sleep: number }
  | { signal: number }
  | { size: readonly [rows: number, columns: number] }
  | { mark: true }

export interface TerminalResult {
  /** The output of the program since the last mark. */
  output: string
  /** Its exit code; negative for a signal. */
  code: number
  /** Whether the modes of the terminal are the same as before. */
  restored: boolean
  problem: string | null
}

/** The needs of a test with a terminal. */
export const terminals = tool('python3')

/** Runs a program in a terminal of 24 rows and 100 columns, with `os-ipc` as the program when it is an array of arguments. */
export async function inTerminal(
  t: Teardown,
  argv: readonly string[],
  steps: readonly Step[],
  { env, rows = 24, columns = 100 }: { env?: ChildOptions['env']; rows?: number; columns?: number } = {},
): Promise<TerminalResult> {
  const script = steps.map(step => `${JSON.stringify(step)}\n`).join('')
  const child = program(
    t,
    [
      'sh',
      '-c',
      'printf %s "$1" | { shift; exec "$@"; }',
      'sh',
      script,
      'python3',
      TERMINAL,
      `${rows}`,
      `${columns}`,
      ...argv,
    ],
    { env: { ...PLAIN, ...env }, limit: 110_000 },
  )
  const { stdout, stderr } = await child.exit
  try {
    return JSON.parse(stdout) as TerminalResult
  } catch {
    throw new Error(`the terminal failed: ${stdout}${stderr}`)
  }
}

/** `os-ipc` with these arguments, as the program of a terminal. */
export function osIpc(...args: readonly (string | number)[]): string[] {
  return [process.execPath, OS_IPC, ...args.map(String)]
}
