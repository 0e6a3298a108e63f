import { createInterface } from 'node:readline/promises'

import { written } from './text.js'

/** Whether os-ipc can ask the user. */
export function canAsk(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** Asks on the terminal; every answer but yes means no, and so does the end of the input. */
export async function ask(question: string): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const closed = new Promise<string>(resolve => terminal.once('close', () => resolve('')))
    const answer = await Promise.race([terminal.question(`${written(question)} [y/N] `), closed])
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    terminal.close()
  }
}
