// examples/recipes/metrics.mjs
// Counters of all workers in one memory: each worker adds to them, and any worker serves the sums.
import { SharedMemory } from 'os-ipc'

const NAMES = ['requests', 'errors', 'bytes']
const memory = SharedMemory.openOrCreate('/example-metrics-v1', { size: 8 * NAMES.length })
const counters = new BigInt64Array(memory.buffer)

/** @param {string} name */
export function add(name, count = 1) {
  Atomics.add(counters, NAMES.indexOf(name), BigInt(count))
}

/** The sums in the text format of Prometheus. */
export function text() {
  return NAMES.map((name, index) => `app_${name}_total ${Atomics.load(counters, index)}\n`).join('')
}
