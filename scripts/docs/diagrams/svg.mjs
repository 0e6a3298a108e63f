// The shapes of the diagrams, as SVG that is legible on light and dark pages: it has its own background, and is dark
// where the reader's system is dark.

/** Colours by class: on a light page, on a dark one. */
const FILLS = {
  ground: ['#ffffff', '#0d1117'],
  ink: ['#1f2328', '#e6edf3'],
  soft: ['#59636e', '#9da7b3'],
}
/** Fill and stroke of boxes, by their meaning. */
const BOXES = {
  plain: [
    ['#f6f8fa', '#8c959f'],
    ['#161b22', '#6e7681'],
  ],
  waiting: [
    ['#fff8c5', '#9a6700'],
    ['#2e2203', '#d29922'],
  ],
  held: [
    ['#ddf4ff', '#0969da'],
    ['#0b2545', '#4493f8'],
  ],
  free: [
    ['#dafbe1', '#1a7f37'],
    ['#0a2a14', '#3fb950'],
  ],
  dead: [
    ['#ffebe9', '#cf222e'],
    ['#3c0d10', '#f85149'],
  ],
}
const LINE = ['#59636e', '#9da7b3']

/** The size in pixels, and the largest width of a character as a fraction of the size, because fonts differ between readers. */
const TEXTS = {
  title: { size: 15, wide: 0.6, rest: 'font-weight:600' },
  body: { size: 13, wide: 0.53, rest: '' },
  small: { size: 12, wide: 0.53, rest: '' },
  code: { size: 12, wide: 0.62, rest: 'font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace' },
}

const SANS = "-apple-system,BlinkMacSystemFont,'Segoe UI','Noto Sans',Helvetica,Arial,sans-serif"

/** A whole picture; a reader who cannot see it hears `title` and `description`. */
export function picture({ title, description, width, height, parts }) {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-labelledby="title description">`,
    `<title id="title">${escaped(title)}</title>`,
    `<desc id="description">${escaped(description)}</desc>`,
    `<style>`,
    `text{font-family:${SANS}}`,
    ...Object.entries(TEXTS).map(([name, { size, rest }]) => `.${name}{font-size:${size}px;${rest}}`),
    `.line{fill:none;stroke-width:1.5}`,
    `.box{stroke-width:1.5}`,
    ...colours(0),
    `@media (prefers-color-scheme:dark){`,
    ...colours(1),
    `}`,
    `</style>`,
    `<rect class="ground" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...parts.flat(Number.POSITIVE_INFINITY),
    `</svg>`,
    ``,
  ].join('\n')
}

function colours(theme) {
  return [
    ...Object.entries(FILLS).map(([name, fill]) => `.${name}{fill:${fill[theme]}}`),
    ...Object.entries(BOXES).map(([name, of]) => `.${name}{fill:${of[theme][0]};stroke:${of[theme][1]}}`),
    `.line{stroke:${LINE[theme]}}`,
    `.head{fill:${LINE[theme]}}`,
  ]
}

/** A box with a title and lines in its middle. A line that starts with a backtick is code. */
export function box({ x, y, width, height, kind = 'plain', title, lines = [] }) {
  const texts = [...(title ? [{ style: 'title', line: title }] : []), ...lines.map(styled)]
  const tall = texts.reduce((sum, { style }) => sum + lineHeight(style), 0)
  let baseline = y + (height - tall) / 2
  return [
    `<rect class="box ${kind}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    texts.map(({ style, line }) => {
      baseline += lineHeight(style)
      return text({ x: x + width / 2, y: baseline - 5, line, style, anchor: 'middle', room: width - 8 })
    }),
  ]
}

function styled(line) {
  return line.startsWith('`') ? { style: 'code', line: line.slice(1) } : { style: 'body', line }
}

function lineHeight(style) {
  return TEXTS[style].size + 6
}

/** A line of text; `room` is its largest width. */
export function text({ x, y, line, style = 'body', ink = 'ink', anchor = 'start', room }) {
  const { size, wide } = TEXTS[style]
  if (room !== undefined && line.length * size * wide > room) {
    throw new Error(`too long for ${room} pixels: ${line}`)
  }
  return `<text class="${style} ${ink}" x="${x}" y="${y}" text-anchor="${anchor}">${escaped(line)}</text>`
}

/** A line through these points, with its head at the last one. */
export function arrow(...points) {
  const [[fromX, fromY], [x, y]] = points.slice(-2)
  const [dx, dy] = [Math.sign(x - fromX), Math.sign(y - fromY)]
  const [baseX, baseY] = [x - 9 * dx, y - 9 * dy]
  const path = [...points.slice(0, -1), [baseX, baseY]].map(point => point.join(' ')).join(' L')
  const head = [
    [x, y],
    [baseX + 5 * dy, baseY + 5 * dx],
    [baseX - 5 * dy, baseY - 5 * dx],
  ]
  return [`<path class="line" d="M${path}"/>`, `<polygon class="head" points="${head.join(' ')}"/>`]
}

/** A bracket below or above something, from x to x; its tip points at the thing that it describes. */
export function bracket({ from, to, y, up = false }) {
  const tip = up ? y - 6 : y + 6
  return `<path class="line" d="M${from} ${tip} V${y} H${to} V${tip}"/>`
}

function escaped(line) {
  return line.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
