// Everything that the command writes goes through this file: no text of a stranger reaches a terminal as it is.

import { inspect } from 'node:util'

import { EXIT } from './exit.js'
import { printableJson, styled, written } from './text.js'

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

/** How wide a line of standard output may be; endless where it is no terminal. */
export function outputWidth(): number {
  return (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY
}

/** Text in a style, where its stream may be coloured. It becomes escape sequences when it is written. */
export function paint(style: Style, text: string, stream: Stream = process.stdout): string {
  return colored(stream) && text !== '' ? styled(text, inspect.colors[style] as [number, number]) : text
}

/** A line to standard output, or several. */
export function print(lines: string | readonly string[]): void {
  out().write(joined(lines))
}

/** A line to standard error, or several. */
export function printError(lines: string | readonly string[]): void {
  err().write(joined(lines))
}

function joined(lines: string | readonly string[]): string {
  return [lines]
    .flat()
    .map(line => `${written(line)}\n`)
    .join('')
}

/** One value as JSON: for people on a terminal in several lines, for programs in one. */
export function printJson(value: unknown): void {
  writeJson(value, process.stdout.isTTY ? 2 : 0)
}

/** One value as a line of JSON. */
export function printJsonLine(value: unknown): void {
  writeJson(value, 0)
}

function writeJson(value: unknown, indent: number): void {
  out().write(`${printableJson(JSON.stringify(value, null, indent))}\n`)
}

/** What draws on the screen: control sequences as they are, and lines. */
export function draw(parts: readonly ({ readonly control: string } | { readonly line: string })[]): void {
  out().write(parts.map(part => ('line' in part ? written(part.line) : part.control)).join(''))
}

/** Writes bytes as they are, and waits until they are out. */
export function writeAll(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    out().write(chunk, error => (error ? reject(error) : resolve()))
  })
}

/** A line about what goes on, which is not the output. */
export function note(line: string): void {
  printError(`os-ipc: ${line}`)
}

const out = onceHeard(() => process.stdout)
const err = onceHeard(() => process.stderr)

/**
 * A standard stream, which Node opens when it is first used: a command that writes nothing leaves it alone.
 *
 * A reader that went away, as `head` does, ends the command in silence, with the code of SIGPIPE. Output that cannot be
 * written, to a full disk, is a failure like others.
 */
function onceHeard(get: () => Stream): () => Stream {
  let heard: Stream | undefined
  return () => {
    if (heard !== undefined) return heard
    const stream = get()
    heard = stream
    stream.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (code === 'EPIPE') process.exit(EXIT.signal + SIGPIPE)
      // There is nobody to tell, and the exit code says what it would without.
      if (stream === process.stderr) return
      const reason = message.replace(`${code}: `, '').replace(/, write$/, '')
      note(`the output cannot be written: ${reason} (${code})`)
      process.exit(EXIT.failed)
    })
    return stream
  }
}

/** Whether the terminal shows more than ASCII. */
export function unicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env
  return /utf-?8/i.test(LC_ALL || LC_CTYPE || LANG || '')
}
