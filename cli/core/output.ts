import { styleText } from 'node:util'

import { EXIT } from './exit.js'

/** The styles that the command uses. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse'

type Stream = NodeJS.WriteStream & { fd: number }

/** SIGPIPE: Node ignores the signal, so that the code stands for it. */
const SIGPIPE = 13

/** Whether a stream may be coloured: a terminal that can, unless NO_COLOR; FORCE_COLOR overrules both. */
export function colored(stream: Stream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'
}

/** Whether standard output is a screen on which something can be drawn anew: a terminal that is not a dumb one. */
export function isScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb'
}

/** Text in a style, where its stream may be coloured. */
export function paint(
  style: Style | readonly Style[],
  text: string,
  stream: Stream = process.stdout,
): string {
  return colored(stream) && text !== '' ? styleText(style as Style, text, { validateStream: false }) : text
}

/** A line to standard output. */
export function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** One value as JSON: for people on a terminal in several lines, for programs in one. */
export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, process.stdout.isTTY ? 2 : 0))
}

/** Writes bytes, and waits until they are out. */
export function writeAll(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(chunk, error => (error ? reject(error) : resolve()))
  })
}

/** A line about what goes on, which is not the output. */
export function note(line: string): void {
  process.stderr.write(`os-ipc: ${line}\n`)
}

/**
 * A reader that went away, as `head` does, ends the command in silence, with the code of SIGPIPE. Output that cannot be
 * written, to a full disk, is a failure like others.
 */
export function endWithReader(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE') process.exit(EXIT.signal + SIGPIPE)
      // There is nobody to tell, and the exit code says what it would without.
      if (stream === process.stderr) return
      const reason = message.replace(`${code}: `, '').replace(/, write$/, '')
      note(`the output cannot be written: ${reason} (${code})`)
      process.exit(EXIT.failed)
    })
  }
}

/** Whether the terminal shows more than ASCII. */
export function unicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
}
