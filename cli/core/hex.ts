/** Bytes of a line of a hex dump. */
export const LINE_BYTES = 16

/** Stands for lines that are the same as the one before. */
const REPEATED = '*'

/** Styles a byte that has changed. */
export type Mark = (text: string) => string

/**
 * A hex dump in the format of `hexdump -C`: position, 16 bytes, and their ASCII characters; a star replaces lines that are
 * the same as the one before. Where `changed` says so, bytes are marked.
 */
export function hexDump(
  data: Uint8Array,
  position: number,
  changed: (index: number) => boolean = () => false,
  mark: Mark = text => text,
): string[] {
  const lines: string[] = []
  for (let start = 0; start < data.length; start += LINE_BYTES) {
    if (repeats(data, start, changed)) {
      if (lines.at(-1) !== REPEATED) lines.push(REPEATED)
    } else {
      lines.push(hexLine(data, start, position, changed, mark))
    }
  }
  return lines
}

/** Whether a line repeats the one before it; the last line is always shown, so that the end is visible. */
function repeats(data: Uint8Array, start: number, changed: (index: number) => boolean): boolean {
  if (start === 0 || start + LINE_BYTES >= data.length) return false
  for (let at = start; at < start + LINE_BYTES; at++) {
    if (data[at] !== data[at - LINE_BYTES] || changed(at)) return false
  }
  return true
}

/** The line of a dump that begins with the byte at `start`. */
export function hexLine(
  data: Uint8Array,
  start: number,
  position: number,
  changed: (index: number) => boolean,
  mark: Mark,
): string {
  let [numbers, letters] = ['', '']
  for (let index = start; index < start + LINE_BYTES; index++) {
    if (index === start + LINE_BYTES / 2) numbers += ' '
    const byte = data[index]
    if (byte === undefined) {
      numbers += '   '
      continue
    }
    const show = changed(index) ? mark : (text: string) => text
    numbers += `${show(byte.toString(16).padStart(2, '0'))} `
    letters += show(byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')
  }
  return `${(position + start).toString(16).padStart(8, '0')}  ${numbers} |${letters}|`
}
