import { isMainThread } from '../waiting/main-thread.js'
import { native } from '../addon/native.js'

/**
 * Keeps the addon's handler of SIGBUS in front of the program's.
 *
 * Where a peer cuts an object, JavaScript that reads its `ArrayBuffer` runs into SIGBUS. `process.on('SIGBUS')` replaces the
 * addon's handler with one that changes nothing, so that the same read would fail for ever; `process.off` replaces it with the
 * default, which ends the process. Node has done either by the time that these listeners are called.
 */
export function keepBusHandler(): void {
  if (!isMainThread) return // signals are the main thread's
  for (const event of ['newListener', 'removeListener']) {
    process.on(event, (name: string | symbol) => {
      if (name === 'SIGBUS') native.renewBusGuard()
    })
  }
}
