import { Worker } from 'node:worker_threads'

import { bytes } from '../core/files.js'
import type { Plan } from './plan.js'
import type { Request } from './spawn-thread.js'
import { type End, spawnPlan, type Streams } from './spawning.js'

/** A program that was started. */
export interface Running {
  /** Sends it a signal, unless it has ended. */
  kill(signal: NodeJS.Signals): void
  /** The end of the program; with the number of the signal even where Node has no name for it. */
  readonly end: Promise<End & { readonly signalNumber?: number }>
}

type Answer = { pid: number } | { end: End } | { error: { code?: string; message: string } }

/**
 * Starts programs, and finds the exit status of each.
 *
 * Node has no name for a real-time signal, and reports exit code 0 for a program that dies of one. The kernel knows better:
 * until a process is reaped, /proc/PID/stat has its status. Node reaps at once, in the thread that started the
 * program. So a separate thread starts it and then blocks; this thread reads the status at each SIGCHLD, then releases that one.
 */
export class Spawner {
  readonly #thread: Worker | undefined

  /** The thread starts before it is needed, so that its start does not extend the time for which a permit is held. */
  constructor() {
    this.#thread = statusOf(process.pid) === undefined ? undefined : thread()
    this.#thread?.unref()
  }

  /** @throws The error of spawn, with its code. */
  async start(plan: Plan, streams: Streams): Promise<Running> {
    return (await this.#watched(plan, streams)) ?? startHere(plan, streams)
  }

  /** Undefined where no thread can be started. */
  async #watched(plan: Plan, streams: Streams): Promise<Running | undefined> {
    const thread = this.#thread
    if (thread === undefined) return undefined
    const gate = new Int32Array(new SharedArrayBuffer(4))
    return new Promise((resolve, reject) => {
      let ended: (end: End & { signalNumber?: number }) => void
      const end = new Promise<End & { signalNumber?: number }>(settle => {
        ended = settle
      })
      let [pid, status, reaped] = [0, 0, false]
      const look = () => {
        const seen = pid === 0 ? 'running' : statusOf(pid)
        if (seen === 'running') return
        status = seen ?? 0
        reaped = true
        process.off('SIGCHLD', look)
        Atomics.store(gate, 0, 1)
        Atomics.notify(gate, 0)
      }
      process.on('SIGCHLD', look)
      thread.on('message', (answer: Answer) => {
        if ('pid' in answer) {
          pid = answer.pid
          resolve({ kill: signal => void (reaped || send(pid, signal)), end })
          look()
        } else if ('end' in answer) {
          const signalNumber = status & 0x7f
          ended(signalNumber === 0 ? answer.end : { ...answer.end, signalNumber })
        } else {
          process.off('SIGCHLD', look)
          reject(Object.assign(new Error(answer.error.message), answer.error))
        }
      })
      // The system has no thread for it, or Node may not start one.
      thread.once('error', () => {
        process.off('SIGCHLD', look)
        resolve(undefined)
      })
      thread.ref()
      thread.postMessage({ plan, streams, gate } satisfies Request)
    })
  }
}

function thread(): Worker | undefined {
  try {
    // From the bundle that this is in.
    const worker = new Worker(new URL('./spawn-thread.cjs', import.meta.url), { execArgv: [] })
    // The thread is referenced again when it is used.
    worker.on('error', () => {})
    return worker
  } catch {
    return undefined
  }
}

function startHere(plan: Plan, streams: Streams): Promise<Running> {
  return new Promise((resolve, reject) => {
    let ended = false
    const end: Promise<End> = spawnPlan(plan, streams, pid => {
      const kill = (signal: NodeJS.Signals) => void (ended || send(pid, signal))
      resolve({ kill, end: Promise.resolve().then(() => end) })
    })
    end.catch(reject).finally(() => {
      ended = true
    })
  })
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // The program now runs as another user.
  }
}

/**
 * The status of an ended but unreaped process, as wait(2) would give it, or the fact that it runs; undefined where the
 * system does not tell. One whose first thread alone has ended still runs.
 */
function statusOf(pid: number): number | 'running' | undefined {
  const text = bytes(`/proc/${pid}/stat`)?.toString('latin1')
  if (text === undefined) return undefined
  // `pid (program) state ...`: a program's name may have spaces and brackets in it. The fields are those of proc(5).
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const field = (number: number) => Number(fields[number - 3])
  return fields[0] === 'Z' && field(20) <= 1 ? field(52) : 'running'
}
