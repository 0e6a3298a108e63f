// examples/recipes/rate-limit.mjs
// At most 20 calls a second over all processes of the host, and at most 5 at once: GCRA in eight bytes of memory.
import { setTimeout as sleep } from 'node:timers/promises'
import { SharedMemory } from 'os-ipc'

const INTERVAL = 50_000_000n // nanoseconds between two calls
const BURST = 5n // calls that may come at once

const memory = SharedMemory.openOrCreate('/example-rate', { size: 8 })
const schedule = new BigInt64Array(memory.buffer) // the time at which the schedule is free again

/**
 * Reserves a call, and returns the milliseconds until it may begin.
 * Returns undefined, and reserves nothing, if that takes more than `longest` milliseconds.
 */
export function reserve(longest = Number.POSITIVE_INFINITY) {
  for (;;) {
    const now = process.hrtime.bigint() // one clock for all processes of the host
    const before = Atomics.load(schedule, 0)
    const ahead = before > now ? before - now : 0n // how far the schedule is booked
    const wait = Math.max(0, Number(ahead - (BURST - 1n) * INTERVAL) / 1e6)
    if (wait > longest) return undefined
    // If another process has reserved a call meanwhile, try again.
    if (Atomics.compareExchange(schedule, 0, before, now + ahead + INTERVAL) === before) return wait
  }
}

/** Waits until this process may make its next call. */
export const turn = async () => sleep(Math.ceil(reserve() ?? 0))

/** Whether a call is allowed now: for a server that answers 429 otherwise. */
export const allowed = () => reserve(0) !== undefined
