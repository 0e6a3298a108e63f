// The chart: the time of an operation, one bar a contender, on a logarithmic scale. Plain SVG, for light and dark.

import { duration } from './text.mjs'

const WIDTH = 960
const NAMES = 270
const BARS = WIDTH - NAMES - 90
const LINE = 17
const GAP = 34
const TOP = 62

/** An SVG document of all scenes that have bars. */
export function chart(reports, machine) {
  const scenes = reports.map(({ scene, results }) => ({
    title: scene.title,
    operation: scene.operation,
    bars: Object.entries(results).filter(([, { absent }]) => !absent),
  }))
  const medians = scenes.flatMap(({ bars }) => bars.map(([, { median }]) => median))
  const from = Math.floor(Math.log10(Math.min(...medians)))
  const to = Math.ceil(Math.log10(Math.max(...medians)))
  const place = nanoseconds => NAMES + ((Math.log10(nanoseconds) - from) / (to - from)) * BARS
  let y = TOP
  const groups = scenes.map(({ title, operation, bars }) => {
    const start = y
    y += GAP + bars.length * LINE
    return group({ title, operation, bars, start, place })
  })
  const height = y + 24
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title">
  <title id="title">What an operation takes, logarithmic: os-ipc, the bare system calls, and other packages</title>
  <style>
    svg { background: #fff; font: 12px system-ui, sans-serif }
    text { fill: #1f2328 }
    .head { font-size: 15px; font-weight: 600 }
    .title { font-weight: 600 }
    .faint { fill: #59636e }
    .grid { stroke: #d1d9e0 }
    .ours { fill: #0969da }
    .bare { fill: #6e7781 }
    .peer { fill: #c8d1da }
    @media (prefers-color-scheme: dark) {
      svg { background: #0d1117 }
      text { fill: #f0f6fc }
      .faint { fill: #9198a1 }
      .grid { stroke: #3d444d }
      .ours { fill: #4493f8 }
      .bare { fill: #9198a1 }
      .peer { fill: #3d444d }
    }
  </style>
  <text x="16" y="26" class="head">What an operation takes: shorter is better, each line is ten times the one before</text>
  <text x="16" y="44" class="faint">${escaped(machine)}</text>
${grid({ from, to, height, place })}
${groups.join('\n')}
</svg>
`
}

function grid({ from, to, height, place }) {
  const powers = Array.from({ length: to - from + 1 }, (_, index) => 10 ** (from + index))
  return powers
    .map(power => {
      const x = place(power).toFixed(1)
      return `  <line x1="${x}" x2="${x}" y1="${TOP}" y2="${height - 20}" class="grid"/>
  <text x="${x}" y="${height - 6}" text-anchor="middle" class="faint">${duration(power).replace(/\.0+ /, ' ')}</text>`
    })
    .join('\n')
}

function group({ title, operation, bars, start, place }) {
  const lines = bars.map(([name, { median }], index) => {
    const y = start + GAP + index * LINE - 4
    const end = place(median)
    const width = Math.max(end - NAMES, 1).toFixed(1)
    return `  <text x="${NAMES - 8}" y="${y + 10}" text-anchor="end">${escaped(name)}</text>
  <rect x="${NAMES}" y="${y}" width="${width}" height="${LINE - 5}" rx="2" class="${kind(name)}"/>
  <text x="${(end + 6).toFixed(1)}" y="${y + 10}" class="faint">${duration(median)}</text>`
  })
  return `  <text x="16" y="${start + 20}" class="title">${escaped(title)} (${escaped(operation)})</text>
${lines.join('\n')}`
}

function kind(name) {
  if (name.startsWith('os-ipc')) return 'ours'
  return name.startsWith('bare calls') ? 'bare' : 'peer'
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
