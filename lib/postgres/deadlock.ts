import { enclosing, type Pending } from './pending.js'
import type { NameQueue } from './queue.js'

/** An edge of another process: the code that holds `from` waits for `to`, in this session of the server. */
export interface ServerEdge {
  readonly from: bigint
  readonly to: bigint
  readonly pid: number
}

/** A circle of locks: the holder of each lock waits for the next one. */
export interface Circle {
  readonly keys: readonly bigint[]
  /** The sessions of other processes that wait in it. */
  readonly pids: readonly number[]
  /** The request of this process that is part of it. */
  readonly request: Pending
}

interface Step {
  readonly key: bigint
  readonly pid: number | undefined
  readonly before: Step | undefined
}

/**
 * Searches for a circle through a queue that waits on the server.
 *
 * The server's own search for deadlocks sees none of these, because a lock that was free is held by another session than the
 * session that waits. A request made inside a callback counts as a wait of that callback.
 */
export function findCircle(
  queue: NameQueue,
  queues: Iterable<NameQueue>,
  others: readonly ServerEdge[],
): Circle | undefined {
  const edges: ServerEdge[] = [...others]
  const requests = new Map<bigint, Pending>()
  for (const { key: to, pending } of queues) {
    for (const request of pending) {
      for (const { hold } of enclosing(request.outer)) {
        if (to === queue.key) requests.set(hold.key, request)
        else edges.push({ from: hold.key, to, pid: 0 })
      }
    }
  }
  if (requests.size === 0) return undefined
  const reached = new Set<bigint>([queue.key])
  const steps: Step[] = [{ key: queue.key, pid: undefined, before: undefined }]
  for (const step of steps) {
    for (const { from, to, pid } of edges) {
      if (from !== step.key) continue
      const next: Step = { key: to, pid: pid === 0 ? undefined : pid, before: step }
      const request = requests.get(to)
      if (request !== undefined) return circleOf(next, request)
      if (!reached.has(to)) {
        reached.add(to)
        steps.push(next)
      }
    }
  }
  return undefined
}

function circleOf(last: Step, request: Pending): Circle {
  const keys: bigint[] = []
  const pids: number[] = []
  for (let step: Step | undefined = last; step !== undefined; step = step.before) {
    keys.unshift(step.key)
    if (step.pid !== undefined) pids.push(step.pid)
  }
  // The circle begins with the lock that the request's code holds.
  keys.unshift(keys.pop() as bigint)
  return { keys, pids, request }
}
