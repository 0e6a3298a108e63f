import { native } from '../addon/native.js'

/**
 * What `node:worker_threads` knows, which takes as long to load as the whole addon. No runtime runs a worker on the thread
 * that the process began with, so it is only asked elsewhere: in workers, which have it already.
 */
const known = native.onFirstThread()
  ? { isMainThread: true, threadId: 0 }
  : process.getBuiltinModule('node:worker_threads')

/** Whether this is the main thread, and no worker. */
export const isMainThread: boolean = known.isMainThread

/** The number of this thread; 0 for the main one. */
export const threadId: number = known.threadId
