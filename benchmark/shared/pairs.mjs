// A unit that is taken and released: one scene with three sets of values.

import { limit, node } from './contenders.mjs'

/** The contenders of every such scene: a semaphore of os-ipc with this `pair`, and the limit. */
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

/** `tryWait` and `post`; returns 1 when a unit was available. */
export function waitAndPost(semaphore) {
  const taken = semaphore.tryWait() ? 1 : 0
  semaphore.post()
  return taken
}

/** `tryAcquire` and `release`; returns 1 when a permit was available. */
export function acquireAndRelease(semaphore) {
  const permit = semaphore.tryAcquire()
  permit?.release()
  return permit === null ? 0 : 1
}
