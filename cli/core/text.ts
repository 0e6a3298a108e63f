// Makes text of other users safe, such as the name of an object or a program, and measures its width on a terminal.

/**
 * Characters of other users that must not reach a terminal: control characters (C0, DEL, C1), line and paragraph separators, and
 * invisible characters that change the text: direction marks, characters of zero width, halves of a surrogate pair.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]|(?![\ufe0e\ufe0f])\p{Default_Ignorable_Code_Point}/gu

/** A style of `paint`. The mark is unique to this process, so that no text of another user is taken for a style. */
let mark: string | undefined
/** A pattern for a style with the mark; no text has a style before the mark exists. */
let markedStyle = /(?!)/g

/** Made at the first use, because loading node:crypto takes as long as the rest of a command that writes nothing. */
function ourMark(): string {
  if (mark === undefined) {
    mark = `${process.getBuiltinModule('node:crypto').randomInt(2 ** 31, 2 ** 32)}`
    markedStyle = new RegExp(`\u001b\\[([\\d;]+):${mark}m`, 'g')
  }
  return mark
}

/** Escapes the characters that control a terminal: the escape character becomes `\x1b`. A second call changes nothing. */
export function printable(text: string, spell: (character: string) => string = escaped): string {
  return text.replaceAll(UNSAFE, spell)
}

/** Whether a text is shown unchanged. */
export function isPrintable(text: string): boolean {
  return printable(text) === text
}

/** A character as an escape of Python and most other languages. */
export function escaped(character: string): string {
  const code = character.codePointAt(0) as number
  if (code < 0x100) return `\\x${code.toString(16).padStart(2, '0')}`
  return code < 0x1_0000
    ? `\\u${code.toString(16).padStart(4, '0')}`
    : `\\U${code.toString(16).padStart(8, '0')}`
}

/** JSON of the same value with control characters escaped: JSON itself escapes only C0. */
export function printableJson(json: string): string {
  return json.replaceAll(UNSAFE, character => {
    // Only the line breaks and spaces of the JSON layout stay unescaped.
    if (character === '\n') return character
    const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
    return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
  })
}

/** Text between the two escape sequences of a style, each with the mark. */
export function styled(text: string, [begin, end]: readonly [begin: number, end: number]): string {
  return `${sequence(begin)}${text}${sequence(end)}`
}

/** The bytes of a character in UTF-8, each as `spell` writes it. */
export function escapedBytes(character: string, spell: (byte: number) => string): string {
  return Array.from(Buffer.from(character), spell).join('')
}

function sequence(code: number): string {
  return `\u001b[${code}:${ourMark()}m`
}

/** A line for the output: the styles of `paint` become escape sequences, all other text becomes printable. */
export function written(text: string): string {
  let shown = ''
  let from = 0
  for (const style of text.matchAll(markedStyle)) {
    shown += `${printable(text.slice(from, style.index))}\u001b[${style[1]}m`
    from = style.index + style[0].length
  }
  return shown + printable(text.slice(from))
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u

/** The number of columns of a printable text on a terminal; styles take none. */
export function width(text: string): number {
  let columns = 0
  for (const character of withoutStyle(text)) {
    if (!/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) columns += WIDE.test(character) ? 2 : 1
  }
  return columns
}

/** Text without the styles of `paint`. */
export function withoutStyle(text: string): string {
  return text.replaceAll(markedStyle, '')
}

/** Text padded with spaces to this number of columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, columns - width(text)))
  return side === 'left' ? text + fill : fill + text
}

/** Plain text of at most this number of columns; an ellipsis replaces the part that was cut. */
export function cut(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text
  let kept = ''
  for (const character of text) {
    if (width(kept + character) > columns - width(ellipsis)) break
    kept += character
  }
  return kept + ellipsis
}

/** Plain text of at most this number of columns, cut in the middle. */
export function cutMiddle(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text
  const room = columns - width(ellipsis)
  const characters = [...text]
  let [begin, end] = ['', '']
  // Takes characters from both ends in turn until the room is used.
  for (let at = 0; at < characters.length; at++) {
    const first = characters[at] as string
    if (width(begin + first + end) > room) break
    begin += first
    const last = characters[characters.length - 1 - at] as string
    if (width(begin + last + end) > room) break
    end = last + end
  }
  return begin + ellipsis + end
}

/** Painted text of at most this number of columns: its styles stay, and end at the cut. */
export function cutPainted(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text
  let [kept, taken, at] = ['', 0, 0]
  const room = columns - width(ellipsis)
  const styles = new Map([...text.matchAll(markedStyle)].map(({ 0: style, index }) => [index, style]))
  while (at < text.length) {
    const style = styles.get(at)
    const part = style ?? String.fromCodePoint(text.codePointAt(at) as number)
    const more = style === undefined ? width(part) : 0
    if (taken + more > room) break
    kept += part
    taken += more
    at += part.length
  }
  return `${kept}${styles.size > 0 ? sequence(0) : ''}${ellipsis}`
}
