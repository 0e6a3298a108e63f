// A terminal's screen as SVG: text, so that it can be searched and read aloud, on a dark window.

const CELL = { width: 8.4, height: 18 }
const MARGIN = 16
const BAR = 34
const FONT = 14

const BACKGROUND = '#15191f'
const FOREGROUND = '#d7dce2'
const COLORS = ['#3b4252', '#ff7a7a', '#7fd88f', '#f0c674', '#7aa9ff', '#d49bff', '#6fd3d8', '#e6e9ee']

/** Lines of runs, as `lastFrame` returns them. */
export function svg(lines, title) {
  const columns = Math.max(...lines.map(runs => runs.reduce((sum, { text }) => sum + text.length, 0)))
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN)
  const height = Math.ceil(lines.length * CELL.height + BAR + MARGIN)
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" rx="8" fill="${BACKGROUND}"/>
${['#ff5f57', '#febc2e', '#28c840'].map((fill, at) => `<circle cx="${MARGIN + 6 + at * 18}" cy="17" r="5.5" fill="${fill}"/>`).join('\n')}
<text x="${width / 2}" y="21" fill="#8b94a1" font-family="system-ui, sans-serif" font-size="12" text-anchor="middle">${escaped(title)}</text>
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${FONT}" fill="${FOREGROUND}" xml:space="preserve">
${lines
  .map((runs, row) => line(runs, BAR + row * CELL.height))
  .filter(text => text !== '')
  .join('\n')}
</g>
</svg>
`
}

function line(runs, top) {
  let at = 0
  const parts = []
  for (const { text, style } of runs) {
    const width = text.length * CELL.width
    if (style.inverse) parts.push(rectangle(MARGIN + at * CELL.width, top, width, CELL.height, FOREGROUND))
    for (const [piece] of text.matchAll(/█+|░+|[^█░]+/g)) {
      const x = MARGIN + at * CELL.width
      at += piece.length
      if (/^[█░]/.test(piece)) parts.push(bar(piece, x, top, style))
      else if (piece.trim() !== '') parts.push(words(piece, x, top, piece.length * CELL.width, style))
    }
  }
  return parts.join('')
}

function words(text, x, top, width, { bold, dim, inverse, color }) {
  const fill = inverse ? BACKGROUND : color === undefined ? undefined : COLORS[color]
  const attributes = [
    `x="${round(x)}" y="${round(top + 13.5)}" textLength="${round(width)}" lengthAdjust="spacingAndGlyphs"`,
    ...(fill ? [`fill="${fill}"`] : []),
    ...(bold ? ['font-weight="bold"'] : []),
    ...(dim ? ['opacity="0.6"'] : []),
  ]
  return `<text ${attributes.join(' ')}>${escaped(text)}</text>`
}

/** Draws blocks as shapes, because some fonts draw them wider or narrower than letters. */
function bar(text, x, top, { color, inverse }) {
  const fill = inverse ? BACKGROUND : color === undefined ? FOREGROUND : COLORS[color]
  return rectangle(x, top + 4, text.length * CELL.width, 10, fill, text.startsWith('░') ? 0.2 : 1)
}

function rectangle(x, y, width, height, fill, opacity = 1) {
  const shade = opacity === 1 ? '' : ` opacity="${opacity}"`
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}"${shade}/>`
}

const round = number => Number(number.toFixed(1))

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
