import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'

import type { Outcome } from './promise.ts'

const DOCS = new URL('../docs/reliability.md', import.meta.url)
const [BEGIN, END] = ['<!-- figures -->', '<!-- /figures -->']

const grouped = new Intl.NumberFormat('en')

/** A table for a terminal. */
export function summary(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(outcome => [
    outcome.name,
    outcome.skipped === undefined ? grouped.format(outcome.trials) : 'skipped',
    String(outcome.lost.length),
    `${outcome.seconds.toFixed(1)} s`,
    outcome.skipped ?? outcome.figures,
  ])
  const all = [['promise', 'trials', 'lost', 'time', 'figures'], ...rows]
  const widths = [0, 1, 2, 3].map(column => Math.max(...all.map(row => row[column]?.length ?? 0)))
  return all.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')).join('\n')
}

/** Renews the table of docs/reliability.md, between its two marks; what was not tried this time keeps its line. */
export function writeDocs(outcomes: readonly Outcome[], short: boolean): void {
  const docs = readFileSync(DOCS, 'utf8')
  const [begin, end] = [docs.indexOf(BEGIN), docs.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md has no ${BEGIN} ... ${END}`)
  const lines = new Map(
    docs
      .slice(begin, end)
      .split('\n')
      .filter(line => /^\| [^-p]/.test(line) || line.startsWith('| p'))
      .filter(line => !line.startsWith('| promise |'))
      .map(line => [line.split('|')[1]?.trim() ?? '', line]),
  )
  for (const { promise, trials, lost, figures, skipped } of outcomes) {
    if (skipped !== undefined) continue
    lines.set(promise, `| ${promise} | ${grouped.format(trials)} | ${lost.length} | ${figures} |`)
  }
  const command = `npm run stress -- --write${short ? ' --short' : ''}`
  const where = `Node ${process.version}, ${process.platform}-${process.arch}, ${availableParallelism()} cores`
  const table = [
    BEGIN,
    '',
    `Renewed by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${where}.`,
    '',
    '| promise | trials | lost | figures |',
    '| --- | ---: | ---: | --- |',
    ...lines.values(),
    '',
  ]
  writeFileSync(DOCS, docs.slice(0, begin) + table.join('\n') + docs.slice(end))
}
