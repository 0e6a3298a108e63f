import { constants } from 'node:os'

import type { Native } from '../../lib/addon/native.js'
import { inForeground } from './foreground.js'
import { IGNORED_SIGNALS } from './start.js'

/** What is passed on whatever sent it. */
const ALWAYS: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGALRM']

/** What a terminal sends to its whole foreground group, our child included: once is enough. */
const OF_TERMINAL: readonly NodeJS.Signals[] = ['SIGINT', 'SIGQUIT', 'SIGWINCH']

/** What ends or stops a process, and can be ignored. Faults are not here: a process that ignores them dies all the same. */
const DEADLY: readonly NodeJS.Signals[] = [
  ...ALWAYS,
  ...['SIGINT', 'SIGQUIT', 'SIGTSTP', 'SIGTTIN', 'SIGTTOU', 'SIGVTALRM', 'SIGXCPU', 'SIGIO', 'SIGPWR'],
] as NodeJS.Signals[]

type Listener = (signal: NodeJS.Signals) => void

/** Passes on what this process is sent and does not ignore, until the function that it returns is called. */
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
    // The default action, so that the kernel decides: it does not stop a group without a shell that could wake it.
    process.off('SIGTSTP', stop)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', stop)
  }
  const resume = () => pass('SIGCONT')

  const listeners: [NodeJS.Signals, Listener][] = [
    ...each(ALWAYS, pass),
    ...each(OF_TERMINAL, passUnlessSent),
    ['SIGTSTP', stop],
    ['SIGCONT', resume],
  ]
  for (const [signal, listener] of listeners) process.on(signal, listener)
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener)
  }
}

function each(signals: readonly NodeJS.Signals[], listener: Listener): [NodeJS.Signals, Listener][] {
  return signals.map(signal => [signal, listener])
}

/**
 * What was ignored when we were started stays so, and SIGUSR1 ends us, as it ends any program. Node has set the first ones
 * back, and would take SIGUSR1 for a wish to be debugged, and open a port.
 */
export function restoreSignals(native: Native): void {
  const usual = isIgnored('SIGUSR1') ? [] : [constants.signals.SIGUSR1]
  const ignored = DEADLY.filter(isIgnored).map(signal => constants.signals[signal])
  native.setSignalActions(ignored, usual)
}

function isIgnored(signal: NodeJS.Signals): boolean {
  return IGNORED_SIGNALS.includes(constants.signals[signal])
}
