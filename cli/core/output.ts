// Everything that the command writes goes through this file, so that no text of another user reaches a terminal unescaped.

import { inspect } from 'node:util'

import { EXIT } from './exit.js'
import { printableJson, styled, written } from './text.js'

/** The styles that the command uses. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan' | 'inverse'

type Stream = NodeJS.WriteStream & { fd: number }

/** The exit code for SIGPIPE, because Node ignores the signal. */
const SIGPIPE = 13

/** Whether a stream may be coloured: a capable terminal without NO_COLOR; FORCE_COLOR overrules both. */
export function colored(stream: Stream): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY === true && !NO_COLOR && TERM !== 'dumb'
}

/** Whether standard output is a screen that can be redrawn: a terminal that is not dumb. */
export function isScreen(): boolean {
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb'
}

/** The largest width of a line of standard output; infinite without a terminal. */
export function outputWidth(): number {
  return (process.stdout.isTTY && process.stdout.columns) || Number.POSITIVE_INFINITY
}

/** Text in a style, where its stream may be coloured. It becomes escape sequences when it is written. */
export function paint(style: Style, text: string, stream: Stream = process.stdout): string {
  return colored(stream) && text !== '' ? styled(text, inspect.colors[style] as [number, number]) : text
}

/** Writes one or more lines to standard output. */
export function print(lines: string | readonly string[]): void {
  out().write(joined(lines))
}

/** Writes one or more lines to standard error. */
export function printError(lines: string | readonly string[]): void {
  err().write(joined(lines))
}

function joined(lines: string | readonly string[]): string {
  return [lines]
    .flat()
    .map(line => `${written(line)}\n`)
    .join('')
}

/** Writes a value as JSON: in several lines on a terminal, in one line elsewhere. */
export function printJson(value: unknown): void {
  writeJson(value, process.stdout.isTTY ? 2 : 0)
}

/** Writes a value as a line of JSON. */
export function printJsonLine(value: unknown): void {
  writeJson(value, 0)
}

function writeJson(value: unknown, indent: number): void {
  out().write(`${printableJson(JSON.stringify(value, null, indent))}\n`)
}

/** Draws on the screen: writes control sequences unescaped, and lines. */
export function draw(parts: readonly ({ readonly control: string } | { readonly line: string })[]): void {
  out().write(parts.map(part => ('line' in part ? written(part.line) : part.control)).join(''))
}

/** Writes bytes unchanged, and waits until they are written. */
export function writeAll(chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    out().write(chunk, error => (error ? reject(error) : resolve()))
  })
}

/** Writes a line about the progress, which is not part of the output. */
export function note(line: string): void {
  printError(`os-ipc: ${line}`)
}

const out = onceHeard(() => process.stdout)
const err = onceHeard(() => process.stderr)

/**
 * A standard stream, which Node opens at its first use: a command that writes nothing never opens it.
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
      // No reader is left for a message, and the exit code stays the same.
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
