import { native } from '../addon/native.js'

/**
 * The facts of `node:worker_threads`, which takes as long to load as the whole addon. No runtime runs a worker on the first
 * thread of the process, so the module is loaded only on other threads: in workers, which have loaded it already.
 */
const known = native.onFirstThread()
  ? { isMainThread: true, threadId: 0 }
  : process.getBuiltinModule('node:worker_threads')

/** Whether this is the main thread, not a worker. */
export const isMainThread: boolean = known.isMainThread

/** The number of this thread; 0 for the main thread. */
export const threadId: number = known.threadId
