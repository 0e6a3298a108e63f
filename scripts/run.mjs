// Starts other programs: the one place for their PATH and for the handling of their failures.

import { spawnSync } from 'node:child_process'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of package.json. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The programs of the devDependencies, Node 24 among them. */
export const bin = join(root, 'node_modules', '.bin')

/** PATH without the programs of this package: only the machine's own programs. */
const machinePath = (process.env.PATH ?? '')
  .split(delimiter)
  .filter(folder => !folder.startsWith(join(root, 'node_modules')))

/** The environment with the devDependencies' programs first, whatever the caller's PATH was. */
export const projectEnv = { ...process.env, PATH: [bin, ...machinePath].join(delimiter) }

/** The environment without them, for `npm ci`, which deletes them while it runs. */
export const machineEnv = { ...process.env, PATH: machinePath.join(delimiter) }

/** npm is a batch file on Windows, which only a shell can start; its script is the same everywhere. */
function started(command, args) {
  if (process.platform !== 'win32' || command !== 'npm') return [command, args]
  const ofNode = join(dirname(process.execPath), 'node_modules', 'npm', 'bin', 'npm-cli.js')
  return [process.execPath, [process.env.npm_execpath ?? ofNode, ...args]]
}

/** Ends this process with one line that states the remedy. */
export function fail(line, code = 1) {
  console.error(`os-ipc: ${line}`)
  process.exit(code)
}

/**
 * Runs a program to its end and returns its exit code. The program writes to the output of this process; with `quiet`, its
 * output is shown only when the program fails.
 */
export function status(command, args, { env = projectEnv, quiet = false } = {}) {
  const { status, signal, error, stdout, stderr } = spawnSync(...started(command, args), {
    cwd: root,
    env,
    stdio: quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', 'inherit', 'inherit'],
    maxBuffer: 1 << 28,
  })
  if (error?.code === 'ENOENT') fail(`${command} is not there`)
  if (error) throw error
  if (quiet && status !== 0) process.stderr.write(Buffer.concat([stdout, stderr]))
  if (signal) console.error(`os-ipc: ${command} was ended by ${signal}`)
  return status ?? 1
}

/** Runs a program and ends this process with its exit code when that is not 0. */
export function run(command, args, options) {
  const code = status(command, args, options)
  if (code !== 0) process.exit(code)
}

/** The output of a program; undefined when the program is missing or fails. */
export function output(command, args, { env = projectEnv } = {}) {
  const { status, stdout } = spawnSync(...started(command, args), {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'ignore'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  return status === 0 ? stdout : undefined
}

/** Runs a program that may fail; returns the last line of its error output, or undefined when it succeeds. */
export function attempt(command, args, { cwd = root, env = machineEnv } = {}) {
  const { status, error, stderr, stdout } = spawnSync(...started(command, args), {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  if (status === 0) return undefined
  return error?.message ?? `${stderr}${stdout}`.trim().split('\n').at(-1) ?? `${command} failed`
}
