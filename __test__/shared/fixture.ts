// For programs in __test__/fixtures: the other end of child.ts.

import { createInterface, type Interface } from 'node:readline'

/** The arguments after the file. */
export const args: readonly string[] = process.argv.slice(2)

/** Tells the test something: one line of JSON. A plain string reads the same as `console.log` of it. */
export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** An error as a line: what a test asserts on. */
export function sayError(error: unknown): void {
  const { name, code, errno, syscall, message, hint, uid, mode, limit } = error as NodeJS.ErrnoException & {
    hint?: string
    uid?: number
    mode?: number
    limit?: number
  }
  say({ error: name, code, errno, syscall, message, hint, uid, mode, limit })
}

let input: Interface | undefined

/**
 * The next line that the test sends with `child.send`; `undefined` when it sends no more. The process stays alive only
 * while it listens.
 */
export async function heard(): Promise<unknown> {
  input ??= createInterface({ input: process.stdin })
  process.stdin.ref()
  const line = await lines(input).next()
  process.stdin.unref()
  return line.done ? undefined : JSON.parse(line.value)
}

let iterator: AsyncIterator<string> | undefined
function lines(from: Interface): AsyncIterator<string> {
  iterator ??= from[Symbol.asyncIterator]()
  return iterator
}
