// Renders the output of `os-ipc top` as the final screen of a terminal: cells with their styles.

/** The escape sequences that top uses: styles, "home", and "clear the rest". */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape character begins them.
const TOKEN = /\u001b\[([\d;]*)m|\u001b\[[?\d;]*[A-Za-z]|[\s\S]/gu
const HOME = '\u001b[H'
/** The frames end where top leaves the alternate screen. */
const LEAVE = '\u001b[?1049l'

/** The last whole frame as lines of runs `{ text, style }`. */
export function lastFrame(output, columns, rows) {
  const drawn = output.slice(0, output.lastIndexOf(LEAVE)).split(HOME).at(-1)
  const lines = drawn.split(/\r*\n/).slice(0, rows)
  let style = {}
  return lines.map(line => {
    const runs = []
    let taken = 0
    for (const [token, codes] of line.matchAll(TOKEN)) {
      if (codes !== undefined) {
        style = codes.split(';').reduce(applied, style)
      } else if (!token.startsWith('\u001b') && token >= ' ' && taken < columns) {
        taken += 1
        const last = runs.at(-1)
        if (last?.style === style) last.text += token
        else runs.push({ text: token, style })
      }
    }
    return runs
  })
}

/** The style after one more code of SGR. */
function applied(style, code) {
  switch (Number(code)) {
    case 0:
      return {}
    case 1:
      return { ...style, bold: true }
    case 2:
      return { ...style, dim: true }
    case 7:
      return { ...style, inverse: true }
    case 22:
      return { ...style, bold: false, dim: false }
    case 27:
      return { ...style, inverse: false }
    case 39:
      return { ...style, color: undefined }
    default:
      return Number(code) >= 30 && Number(code) < 38 ? { ...style, color: Number(code) - 30 } : style
  }
}
