import { native } from './native.js'

/**
 * Whether this is the main thread, and no worker.
 *
 * `node:worker_threads` knows, but takes as long to load as the whole addon. No runtime runs a worker on the thread that
 * the process began with, so it is only asked elsewhere: in workers, which have it already.
 */
export const isMainThread: boolean =
  native.onFirstThread() || process.getBuiltinModule('node:worker_threads').isMainThread
