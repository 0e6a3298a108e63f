import { permitSourceCases } from './cases.js'
import type { PermitSourceSubject } from './subject.js'

/** A `test(title, function)` in the form of node:test, vitest, jest, mocha (`it`) and uvu. */
export type DeclareTest = (title: string, run: () => Promise<void>) => unknown

/**
 * Declares a test for every case of {@link permitSourceCases}.
 *
 * @example
 * ```ts
 * import { test } from 'node:test'
 * import { Limit } from 'os-ipc'
 * import { testPermitSource } from 'os-ipc/testing'
 *
 * let made = 0
 * testPermitSource(test, {
 *   create: permits => Limit.create(`/tested-${process.pid}-${made++}`, { permits }),
 *   open: name => Limit.open(name),
 *   remove: name => Limit.unlink(name),
 * })
 * ```
 */
export function testPermitSource(test: DeclareTest, subject: PermitSourceSubject): void {
  for (const { title, run } of permitSourceCases(subject)) test(title, run)
}
