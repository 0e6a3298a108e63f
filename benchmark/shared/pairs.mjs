// A unit that is taken and given back: one scene with three sets of values.

import { limit, node } from './contenders.mjs'

/** The contenders that every such scene has: a semaphore of ours that takes and gives by `pair`, and the limit. */
export function pairContenders(name, backend, pair) {
  return {
    'os-ipc': node(async ({ object, atTheEnd }) => {
      const { Semaphore } = await import('./ours.mjs')
      const semaphore = Semaphore.create(object, { initial: 1, backend })
      atTheEnd(() => semaphore.unlink())
      return count => {
        let taken = 0
        for (let index = 0; index < count; index += 1) taken += pair(semaphore)
        return { work: taken }
      }
    }),
    limit: limit(name),
  }
}

/** `tryWait` and `post`; 1 when there was a unit. */
export function waitAndPost(semaphore) {
  const taken = semaphore.tryWait() ? 1 : 0
  semaphore.post()
  return taken
}

/** `tryAcquire` and `release`; 1 when there was a permit. */
export function acquireAndRelease(semaphore) {
  const permit = semaphore.tryAcquire()
  permit?.release()
  return permit === null ? 0 : 1
}
