// The real clock and the real timers. A test may replace the global ones by fake ones, which stand still. Other processes
// and the kernel do not stand still with them, so a timeout counts real time. This module keeps what it finds when it is
// loaded. It asks Node's modules and not the globals: Jest can replace the globals before it loads anything.

import { hrtime as hrtimeOfNode } from 'node:process'
import {
  clearTimeout as clearTimeoutOfNode,
  setImmediate as setImmediateOfNode,
  setTimeout as setTimeoutOfNode,
} from 'node:timers'

const hrtime = hrtimeOfNode

/** The monotonic clock in milliseconds. `node:perf_hooks` has one too, and takes 10 ms to load. */
export const performance = {
  now(): number {
    const [seconds, nanoseconds] = hrtime()
    return seconds * 1e3 + nanoseconds / 1e6
  },
}

export const setTimeout = setTimeoutOfNode
export const clearTimeout = clearTimeoutOfNode
export const setImmediate = setImmediateOfNode
