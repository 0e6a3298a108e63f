import { isMainThread } from './main-thread.js'

/**
 * In a worker: the handle whose unit has left the counter and is on its way to the caller; 0 for none.
 *
 * A worker can be terminated at any moment. V8 ends it where a function or a turn of a loop begins. When the environment
 * ends, the addon returns a unit that was still on its way.
 */
export const transit: Uint32Array | undefined = isMainThread ? undefined : new Uint32Array(new ArrayBuffer(4))

/** Marks the unit as arrived, unless the worker was terminated meanwhile: that takes effect here, before the second turn. */
export function arrive(): void {
  for (let turn = 0; turn < 2; turn++) {
    if (turn === 1 && transit !== undefined) transit[0] = 0
  }
}
