import { availableParallelism } from 'node:os'
import { isMainThread } from 'node:worker_threads'

/** The bounds that libuv gives to UV_THREADPOOL_SIZE. */
const SMALLEST = 1
const LARGEST = 1024
const DEFAULT = 4

/**
 * How many threads this runtime's pool has for addons; 0 where none of them may block.
 *
 * A worker's environment cannot end while a task of it blocks in the pool, so a worker stays out of it.
 */
export function poolThreads(): number {
  if (!isMainThread) return 0
  if (process.versions['bun'] !== undefined) return availableParallelism()
  if (process.versions['deno'] !== undefined) return 0
  const size = process.env['UV_THREADPOOL_SIZE']
  if (size === undefined) return DEFAULT
  // As libuv reads it: atoi(3), which makes 0 of what is no number.
  return Math.min(Math.max(Number.parseInt(size, 10) || SMALLEST, SMALLEST), LARGEST)
}
