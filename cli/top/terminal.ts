import { writeSync } from 'node:fs'

import { draw } from '../core/output.js'

/** Switches to the alternate screen without cursor and line wrap, and back. */
const ENTER = '\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[H\x1b[2J'
const LEAVE = '\x1b[?7h\x1b[?25h\x1b[?1049l'

/** Signals that end this process; the terminal is restored first. */
const ENDING: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT']

/** The time in milliseconds for which an escape may be the beginning of a key's sequence. */
const ESCAPE = 30

/** An event of the terminal. */
export type TerminalEvent = { readonly key: string } | 'resized' | 'continued'

/** The terminal as a private screen; it is restored however this process ends, except by `kill -9`. */
export class Terminal {
  readonly #heard: (event: TerminalEvent) => void
  #entered = false
  #pending = ''
  #escape: NodeJS.Timeout | undefined

  constructor(heard: (event: TerminalEvent) => void) {
    this.#heard = heard
  }

  get size(): { columns: number; rows: number } {
    return { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 }
  }

  open(): void {
    this.#enter()
    process.stdin.on('data', this.#onData)
    process.stdout.on('resize', this.#onResize)
    process.on('exit', this.#leave)
    process.on('SIGTSTP', this.#stop)
    process.on('SIGCONT', this.#resume)
    for (const signal of ENDING) process.on(signal, this.#end)
  }

  close(): void {
    process.stdin.off('data', this.#onData)
    process.stdin.pause()
    clearTimeout(this.#escape)
    process.stdout.off('resize', this.#onResize)
    process.off('exit', this.#leave)
    process.off('SIGTSTP', this.#stop)
    process.off('SIGCONT', this.#resume)
    for (const signal of ENDING) process.off(signal, this.#end)
    this.#leave()
  }

  /** Draws a whole screen. */
  draw(lines: readonly string[]): void {
    const parts = lines.flatMap((line, at) => [
      { line },
      { control: at < lines.length - 1 ? '\x1b[K\r\n' : '\x1b[K' },
    ])
    draw([{ control: '\x1b[H' }, ...parts, { control: '\x1b[J' }])
  }

  #enter(): void {
    this.#entered = true
    if (process.stdin.isTTY) process.stdin.setRawMode(true)
    draw([{ control: ENTER }])
  }

  readonly #leave = (): void => {
    if (!this.#entered) return
    this.#entered = false
    try {
      // Writes synchronously, because queued output is not written after a signal.
      writeSync(process.stdout.fd, LEAVE)
      if (process.stdin.isTTY) process.stdin.setRawMode(false)
    } catch {
      // The terminal has gone.
    }
  }

  /** Ends this process by the signal's default action. */
  readonly #end = (signal: NodeJS.Signals): void => {
    this.close()
    process.kill(process.pid, signal)
  }

  readonly #stop = (): void => {
    this.#leave()
    process.off('SIGTSTP', this.#stop)
    process.kill(process.pid, 'SIGTSTP')
    process.on('SIGTSTP', this.#stop)
    // The kernel does not stop an orphaned process group, and then sends no SIGCONT either.
    this.#resume()
  }

  readonly #resume = (): void => {
    if (!this.#entered) this.#enter()
    this.#heard('continued')
  }

  readonly #onResize = (): void => {
    this.#heard('resized')
  }

  readonly #onData = (chunk: Buffer): void => {
    clearTimeout(this.#escape)
    this.#pending += chunk.toString('utf8')
    const { keys, rest } = split(this.#pending)
    this.#pending = rest
    for (const key of keys) this.#press(key)
    // An escape alone is the key, unless the rest of a sequence follows at once.
    if (rest !== '') {
      this.#escape = setTimeout(() => {
        this.#pending = ''
        this.#press('\x1b')
      }, ESCAPE)
    }
  }

  #press(key: string): void {
    if (key === '\x1a') process.kill(process.pid, 'SIGTSTP')
    else this.#heard({ key })
  }
}

/** The typed keys, and the rest that may be the beginning of one. */
export function split(typed: string): { keys: string[]; rest: string } {
  const keys: string[] = []
  let rest = typed
  while (rest !== '') {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins a key's sequence.
    const [key] = /^(?:\u001b\[[\d;]*[A-Za-z~]|\u001bO[A-Za-z])/.exec(rest) ?? []
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the same.
    if (key === undefined && /^\u001b(\[[\d;]*|O)?$/.test(rest)) break
    const next = key ?? String.fromCodePoint(rest.codePointAt(0) as number)
    keys.push(next)
    rest = rest.slice(next.length)
  }
  return { keys, rest }
}
