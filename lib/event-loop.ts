import { isMainThread } from './main-thread.js'

/**
 * Whether this thread's event loop is libuv's, and runs by itself: not in Bun and Deno, whose loops are their own, and not
 * in Electron, which runs a turn of libuv's when its own loop has a moment.
 */
export function hasOwnLibuv(): boolean {
  return isMainThread && !['bun', 'deno', 'electron'].some(runtime => runtime in process.versions)
}
