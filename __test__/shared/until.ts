import { setTimeout as sleep } from 'node:timers/promises'

/** Resolves when `holds` is true; fails after `limit` milliseconds. For changes by another process or thread. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limit = 30_000,
): Promise<void> {
  const deadline = performance.now() + limit
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${limit} ms`)
    await sleep(2)
  }
}
