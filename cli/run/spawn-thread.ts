// A thread that starts one program, and leaves it unreaped until it is told otherwise; spawn-watched.ts has the reason.

import { parentPort } from 'node:worker_threads'

import { spawnPlan, type Streams } from './spawning.js'
import type { Plan } from './plan.js'

/** The request to the thread. */
export interface Request {
  readonly plan: Plan
  readonly streams: Streams
  /** Becomes 1 when the child may be reaped. */
  readonly gate: Int32Array
}

parentPort?.once('message', async ({ plan, streams, gate }: Request) => {
  try {
    const end = await spawnPlan(plan, streams, pid => {
      parentPort?.postMessage({ pid })
      Atomics.wait(gate, 0, 0)
    })
    parentPort?.postMessage({ end })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    parentPort?.postMessage({ error: { code, message } })
  }
})
