// The other end of child.ts, for the programs in the fixtures folders.

import { createInterface, type Interface } from 'node:readline'

/** The arguments after the file. */
export const args: readonly string[] = process.argv.slice(2)

/** Prints one line of JSON for the test. A plain string reads the same as `console.log` of it. */
export function say(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

/** Prints an error as a line with the fields that tests assert on. */
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
 * The next line that the test sends with `child.send`; `undefined` at the end of the input. The process stays alive only
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
