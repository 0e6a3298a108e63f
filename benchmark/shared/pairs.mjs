// A unit that is taken and given back: one scene with three sets of values.

import { bareCalls, node } from './contenders.mjs'

/** The contenders that every such scene has: what `create` makes of ours, taken and given by `pair`, and the bare calls. */
export function pairContenders(name, create, pair) {
  return { 'os-ipc': pairs(create, pair), 'bare calls': bareCalls(name) }
}

/** What `create` makes of ours, taken and given by `pair`. */
export function pairs(create, pair) {
  return node(async ({ object, atTheEnd }) => {
    const made = create(await import('./ours.mjs'), object)
    atTheEnd(() => made.unlink())
    return count => {
      let taken = 0
      for (let index = 0; index < count; index += 1) taken += pair(made)
      return { work: taken }
    }
  })
}

/** A semaphore with one unit. */
export const unit =
  backend =>
  ({ Semaphore }, object) =>
    Semaphore.create(object, { initial: 1, backend })

/** A limit with one permit, which records its holder. */
export const permit =
  engine =>
  ({ Limit }, object) =>
    Limit.create(object, { permits: 1, engine })

/** `tryWait` and `post`; 1 when there was a unit. */
export function waitAndPost(semaphore) {
  const taken = semaphore.tryWait() ? 1 : 0
  semaphore.post()
  return taken
}

/** `tryAcquire` and `release`; 1 when there was a permit. */
export function acquireAndRelease(jobs) {
  const permit = jobs.tryAcquire()
  permit?.release()
  return permit === null ? 0 : 1
}
