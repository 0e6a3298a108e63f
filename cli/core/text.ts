/** Text of strangers, such as a name, without what a terminal would act upon: `\x1b` is shown as such. */
export function printable(text: string): string {
  return text.replaceAll(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about.
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    character => {
      const code = character.charCodeAt(0)
      return code < 0x100
        ? `\\x${code.toString(16).padStart(2, '0')}`
        : `\\u${code.toString(16).padStart(4, '0')}`
    },
  )
}

const WIDE =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]/u

/** How many columns a text takes in a terminal; escape sequences take none. */
export function width(text: string): number {
  let columns = 0
  for (const character of withoutStyle(text)) {
    if (!/[\p{Mn}\p{Me}\p{Cf}]/u.test(character)) columns += WIDE.test(character) ? 2 : 1
  }
  return columns
}

/** Text without the escape sequences of `paint`. */
export function withoutStyle(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins them.
  return text.replaceAll(/\u001b\[[\d;]*m/g, '')
}

/** Text filled up with spaces to so many columns. */
export function pad(text: string, columns: number, side: 'left' | 'right' = 'left'): string {
  const fill = ' '.repeat(Math.max(0, columns - width(text)))
  return side === 'left' ? text + fill : fill + text
}

/** Plain text of at most so many columns; an ellipsis stands for what was cut. */
export function cut(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text
  let kept = ''
  for (const character of text) {
    if (width(kept + character) > columns - width(ellipsis)) break
    kept += character
  }
  return kept + ellipsis
}

/** Painted text of at most so many columns: its styles stay, and end where it is cut. */
export function cutPainted(text: string, columns: number, ellipsis = '…'): string {
  if (width(text) <= columns) return text
  let [kept, taken] = ['', 0]
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins a style.
  for (const [part] of text.matchAll(/\u001b\[[\d;]*m|[\s\S]/gu)) {
    const more = width(part)
    if (taken + more > columns - width(ellipsis)) break
    kept += part
    taken += more
  }
  return `${kept}${kept.includes('\u001b') ? '\u001b[0m' : ''}${ellipsis}`
}
