import { isPrintable } from './text.js'

/** Checks piece by piece whether bytes are text that a terminal only shows: UTF-8 with line breaks, tabs and zeros. */
export class TerminalText {
  readonly #decoder = new TextDecoder('utf-8', { fatal: true })

  accepts(piece: Uint8Array): boolean {
    try {
      const text = this.#decoder.decode(piece, { stream: true })
      // A terminal ignores the zeros that follow a text in memory.
      return isPrintable(text.replaceAll(/\r\n|[\n\t\0]/g, ''))
    } catch {
      return false
    }
  }
}
