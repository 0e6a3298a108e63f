import { isMainThread } from './main-thread.js'
import { runtime } from '../addon/runtime.js'

/**
 * Whether this thread's event loop is libuv's, and runs by itself: not in Bun and Deno, whose loops are their own, and not
 * in Electron and NW.js, which give libuv's a turn when their own has a moment.
 */
export function hasOwnLibuv(): boolean {
  return isMainThread && runtime === 'node'
}
