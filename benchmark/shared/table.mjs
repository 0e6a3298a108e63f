// The results as a table in Markdown that is readable on a terminal too.

import { duration, rounded } from './text.mjs'

/** Lines of `| cells |`, every column as wide as its widest cell; the last `numbers` columns are right-aligned. */
export function table(head, rows, numbers) {
  const widths = head.map((cell, column) => Math.max(cell.length, 1, ...rows.map(row => row[column].length)))
  const right = column => column >= head.length - numbers
  const line = row =>
    `| ${row.map((cell, column) => (right(column) ? cell.padStart(widths[column]) : cell.padEnd(widths[column]))).join(' | ')} |`
  const rule = widths.map((width, column) =>
    right(column) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width),
  )
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n')
}

/** The targets that decide, with the reached values; empty without any. */
export function verdictTable(reports) {
  return ratios(reports, true, 'target', met => (met ? 'met' : '**missed**'))
}

/** The other comparisons, with the expected values; empty without any. */
export function reportedTable(reports) {
  return ratios(reports, false, 'expected', met => (met ? '' : 'not here'))
}

function ratios(reports, deciding, expected, judgement) {
  const rows = reports.flatMap(({ scene, verdicts }) =>
    verdicts
      .filter(({ decides }) => decides === deciding)
      .map(({ what, value, target, met }) => [
        scene.name,
        what,
        target,
        value === null ? '' : rounded(value),
        met === null ? 'not measured' : judgement(met),
      ]),
  )
  return rows.length > 0 ? table(['scene', 'ratio', expected, 'here', ''], rows, 3) : ''
}

/** The results of one scene: medians, the middle half of the rounds, and the empty cells with their reasons. */
export function sceneTable({ scene, results }) {
  const rows = Object.entries(results).map(([name, { median, low, high, extras, absent }]) =>
    absent
      ? [name, '', '', absent]
      : [name, duration(median), `${duration(low)} to ${duration(high)}`, facts(extras)],
  )
  return table(['', scene.operation, 'half of the rounds', ''], rows, 0)
}

function facts(extras) {
  return Object.entries(extras)
    .map(([key, value]) => `${key}: ${rounded(value)}`)
    .join(', ')
}
