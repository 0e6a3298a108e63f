import { constants } from 'node:os'

import type { Native } from '../../lib/addon/native.js'
import { inForeground } from './foreground.js'
import { IGNORED_SIGNALS } from './start.js'

/** Signals that are passed on, whatever sent them. */
const ALWAYS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM']

/** Signals that a terminal sends to its whole foreground group, the child included, so that they are not passed on again. */
const OF_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH']

/** Signals that end or stop a process and can be ignored. Faults are missing because a process that ignores them dies anyway. */
const DEADLY: readonly NodeJS.Signals[] = [
  ...ALWAYS,
  ...['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGVTALRM', 'SIGXCPU', 'SIGIO', 'SIGPWR'],
] as NodeJS.Signals[]

/** Events of a console: it sends them to all its processes, so the command has them already, and os-ipc waits for its end. */
const OF_CONSOLE: readonly NodeJS.Signals[] = ['SIGINT', 'SIGBREAK', 'SIGHUP']

type Listener = (signal: NodeJS.Signals) => void

/** Passes on the signals that this process gets and does not ignore, until the returned function is called. */
export function passSignals(passOn: Listener): () => void {
  const pass: Listener = signal => {
    if (!isIgnored(signal)) passOn(signal)
  }
  const passUnlessSent: Listener = signal => {
    if (!inForeground()) pass(signal)
  }
  const stop = () => {
    if (isIgnored('SIGTSTP')) return
    passUnlessSent('SIGTSTP')
    // Takes the default action, so that the kernel decides: it does not stop an orphaned process group.
    process.off('SIGTSTP', stop)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', stop)
  }
  const resume = () => pass('SIGCONT')

  const listeners: [NodeJS.Signals, Listener][] =
    process.platform === 'win32'
      ? each(OF_CONSOLE, () => {})
      : [...each(ALWAYS, pass), ...each(OF_TERMINAL, passUnlessSent), ['SIGTSTP', stop], ['SIGCONT', resume]]
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

function each(signals: readonly NodeJS.Signals[], listener: Listener): [NodeJS.Signals, Listener][] {
  return signals.map(signal => [signal, listener])
}

/**
 * Keeps the signals ignored that were ignored at the start, and lets SIGUSR1 end this process, as it ends any program. Node has
 * reset the ignored signals, and takes SIGUSR1 as a request to open a debugger port.
 */
export function restoreSignals(native: Native): void {
  // Windows has no signals that could be ignored.
  if (process.platform === 'win32') return
  const usual = isIgnored('SIGUSR1') ? [] : [constants.signals.SIGUSR1]
  const ignored = DEADLY.filter(isIgnored).map(signal => constants.signals[signal])
  native.setSignalActions(ignored, usual)
}

function isIgnored(signal: NodeJS.Signals): boolean {
  return IGNORED_SIGNALS.includes(constants.signals[signal])
}
