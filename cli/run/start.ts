// The state that this process was started with, as cli/os-ipc.ts hands it over or the system tells it.

import { constants as fsConstants } from 'node:fs'
import { constants } from 'node:os'

import { Failure } from '../core/failure.js'
import { bytes } from '../core/files.js'
import { bytesOf, isAltered, type Word, word, zeroEnded } from '../core/words.js'

/** The variables in which the starting shell hands over its state; they are not part of the command's environment. */
const [IGNORED, FILES, ENVIRON] = ['OS_IPC_IGNORED', 'OS_IPC_FILES', 'OS_IPC_ENVIRON'] as const
const HANDED_OVER: readonly string[] = [IGNORED, FILES, ENVIRON]

/** Variables that the shell sets itself; it also drops variables whose names are invalid for it. */
const OF_SHELL = /^(?:PWD|OLDPWD|SHLVL|_)=/
const IDENTIFIER = /^[A-Za-z_]\w*=/

/** Signals whose action a process may choose; not those of the C library and not real-time signals. */
const CLASSIC = 31

const handedOver = take(IGNORED)
const hasEnviron = take(ENVIRON) !== undefined

/** The numbers of the signals that were ignored when os-ipc was started. */
export const IGNORED_SIGNALS: readonly number[] = ignored()

/** The limit of open files before Node raised it; undefined where it is unknown. */
export const MOST_OPEN: number | undefined = /^\d+$/.exec(take(FILES) ?? '')?.map(Number)[0]

/** The standard streams that did not block at the start. Node makes pipes non-blocking when it uses them. */
export const NONBLOCKING: readonly number[] = [0, 1, 2].filter(isNonblocking)

function take(name: string): string | undefined {
  const value = process.env[name]
  delete process.env[name]
  return value
}

function ignored(): number[] {
  if (handedOver === undefined) return startedByNohup() ? [constants.signals.SIGHUP] : []
  const { SIGKILL, SIGSTOP } = constants.signals
  const numbers = Array.from({ length: CLASSIC }, (_, at) => at + 1).filter(
    number => number !== SIGKILL && number !== SIGSTOP,
  )
  if (/^[0-9a-f]+$/.test(handedOver)) return numbers.filter(number => isSet(handedOver, number))
  // What `trap` of a shell prints: trap -- '' SIGHUP
  const names = [...handedOver.matchAll(/^trap -- '' (?:SIG)?(\w+)$/gm)].map(([, name]) => name)
  return numbers.filter(number =>
    names.some(name => constants.signals[`SIG${name}` as NodeJS.Signals] === number),
  )
}

/**
 * Node itself was started, without the shell: it has set all signals back by now, and the system does not tell what they
 * were. A parent that ignores SIGHUP has most likely handed that on, as nohup does for a script; and a shell tells
 * what it has started.
 */
function startedByNohup(): boolean {
  if (/(^|\/)nohup$/.test(process.env._ ?? '')) return true
  const [, mask] =
    /^SigIgn:\s*([0-9a-f]+)$/m.exec(bytes(`/proc/${process.ppid}/status`)?.toString() ?? '') ?? []
  return mask !== undefined && isSet(mask, constants.signals.SIGHUP)
}

function isNonblocking(fd: number): boolean {
  const [, flags = '0'] =
    /^flags:\s*([0-7]+)$/m.exec(bytes(`/proc/self/fdinfo/${fd}`)?.toString() ?? '') ?? []
  return (Number.parseInt(flags, 8) & fsConstants.O_NONBLOCK) !== 0
}

function isSet(mask: string, signal: number): boolean {
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n
}

/**
 * The environment of the command, as assignments.
 *
 * @throws {Failure} When Node has altered it, and the system does not give the original.
 */
export function environment(): Word[] {
  const now = Object.entries(process.env)
  const given = bytes('/proc/self/environ')
  if (given === undefined) {
    const altered = now.find(isAltered)
    if (altered !== undefined)
      throw new Failure(`the variable ${altered[0]} is not UTF-8`, 'this system does not give its bytes')
    return now.map(([name, value]) => `${name}=${value}`)
  }
  const there = zeroEnded(given)
  const texts = new Map(there.map(entry => split(entry.toString())))
  // Changes that a preloaded module made since the start.
  const set = now
    .filter(([name, value]) => texts.get(name) !== value)
    .map(([name, value]) => `${name}=${value}`)
  const changed = new Set(set.map(text => split(text)[0]))
  const kept = original(there).filter(entry => {
    const [name] = split(entry.toString())
    return !changed.has(name) && (!texts.has(name) || name in process.env)
  })
  return [...kept.filter(entry => entry.indexOf('=') > 0).map(word), ...set]
}

/** The assignments of this process, before a shell started Node. */
function original(there: readonly Buffer[]): Buffer[] {
  const ours = (entry: string) => HANDED_OVER.some(name => entry.startsWith(`${name}=`))
  const entries = there.map(entry => entry.toString('latin1'))
  const handed = hasEnviron ? entries.find(entry => entry.startsWith(`${ENVIRON}=`)) : undefined
  if (handed === undefined) return entries.filter(entry => !ours(entry)).map(bytesOf)
  // One assignment per line: zeros have become line breaks, and line breaks the control character 1.
  const lines = handed.slice(ENVIRON.length + 1).split('\n')
  const exact = lines.map(line => line.replaceAll('\x01', '\n')).filter(isChangedByShell)
  const unchanged = entries.filter(entry => !ours(entry) && !isChangedByShell(entry))
  return [...unchanged, ...exact].map(bytesOf)
}

function isChangedByShell(entry: string): boolean {
  return !IDENTIFIER.test(entry) || OF_SHELL.test(entry)
}

function split(assignment: string): [name: string, value: string] {
  const at = assignment.indexOf('=')
  return [assignment.slice(0, at), assignment.slice(at + 1)]
}
