import type { LockManager, LockOptions } from '../../../index.js'

/** Holds a lock here until `release` is called. */
export async function hold(
  manager: LockManager,
  name: string,
  options: LockOptions = {},
): Promise<() => Promise<void>> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const granted = Promise.withResolvers<void>()
  const done = manager.request(name, options, () => {
    granted.resolve()
    return promise
  })
  done.catch(granted.reject)
  await granted.promise
  return async () => {
    resolve()
    await done
  }
}
