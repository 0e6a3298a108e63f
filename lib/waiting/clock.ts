// The real clock and the real timers. A test may replace the global ones by fake ones, which stand still. Other processes
// and the kernel do not stand still with them, so a timeout counts real time. This module keeps what it finds when it is
// loaded.

import { hrtime as hrtimeOfNode } from 'node:process'
import {
  clearTimeout as clearTimeoutOfNode,
  setImmediate as setImmediateOfNode,
  setTimeout as setTimeoutOfNode,
} from 'node:timers'

const hrtime = hrtimeOfNode

/** Milliseconds of the monotonic clock. */
function hrtimeNow(): number {
  const [seconds, nanoseconds] = hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** The same of `node:perf_hooks`, which takes 10 ms to load, so it is only for a process whose `hrtime` is a fake. */
function performanceNow(): () => number {
  const { performance } = process.getBuiltinModule('node:perf_hooks')
  return performance.now.bind(performance)
}

/** @sinonjs/fake-timers, which Jest and vitest use, marks each function that it has replaced. */
const isFake = Object.hasOwn(hrtime, 'clock')

export const performance = { now: isFake ? performanceNow() : hrtimeNow }

// Jest fakes the globals alone. Its tests get these from Node.
export const setTimeout = setTimeoutOfNode
export const clearTimeout = clearTimeoutOfNode
export const setImmediate = setImmediateOfNode
