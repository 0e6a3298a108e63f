// The real clock and the real timers. A test may replace the global ones by fakes, which stand still. Other processes and
// the kernel go on meanwhile, so a timeout counts real time. This module keeps the functions that it finds when it is
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

/** The same with `node:perf_hooks`, which takes 10 ms to load: only for a process whose `hrtime` is a fake. */
function performanceNow(): () => number {
  const { performance } = process.getBuiltinModule('node:perf_hooks')
  return performance.now.bind(performance)
}

/** @sinonjs/fake-timers, which Jest and vitest use, marks each function that it replaces. */
const isFake = Object.hasOwn(hrtime, 'clock')

export const performance = { now: isFake ? performanceNow() : hrtimeNow }

// Jest replaces only the globals. Its tests get these functions from Node.
export const setTimeout = setTimeoutOfNode
export const clearTimeout = clearTimeoutOfNode
export const setImmediate = setImmediateOfNode
