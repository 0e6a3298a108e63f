import { type ChildProcess, spawn } from 'node:child_process'

import type { Plan } from './plan.js'

/** The end of a child as Node reports it: for a signal without a name Node reports `{ code: 0, signal: null }`. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export type Streams = readonly ('inherit' | 'ignore' | number)[]

/** Starts a program; `started` is called at once, before anything is known of its end. */
export function spawnPlan(
  { program, args, env, verbatim }: Plan,
  streams: Streams,
  started: (pid: number) => void,
): Promise<End> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, {
      stdio: [...streams],
      env: { ...env },
      windowsVerbatimArguments: verbatim,
    })
    // A child without a pid was not started. The only other error is a signal that could not be sent.
    child.once('error', error => child.pid === undefined && reject(error))
    child.once('exit', (code, signal) => resolve({ code, signal }))
    if (child.pid !== undefined) started(child.pid)
  })
}
