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

/** The promises that were tried. */
export interface Run {
  readonly outcomes: readonly Outcome[]
  /** The sentences of all promises, in the order of the table. */
  readonly promises: readonly string[]
  readonly short: boolean
  /** Whether the run tried only some promises. */
  readonly partial: boolean
}

/**
 * Renews the table of docs/reliability.md, between its two marks. A promise that was not tried keeps its line, and the
 * head is that of the last run that tried everything.
 */
export function writeDocs(run: Run): void {
  writeFileSync(DOCS, renewed(readFileSync(DOCS, 'utf8'), run))
}

/** The page with its table renewed. */
export function renewed(docs: string, { outcomes, promises, short, partial }: Run): string {
  const [begin, end] = [docs.indexOf(BEGIN), docs.indexOf(END)]
  if (begin < 0 || end < begin) throw new Error(`docs/reliability.md has no ${BEGIN} ... ${END}`)
  const old = docs.slice(begin, end).split('\n')
  const lines = new Map(old.map(line => [/^\| (.*?) \|/.exec(line)?.[1] ?? '', line]))
  for (const { promise, trials, lost, figures, skipped } of outcomes) {
    if (skipped !== undefined) continue
    lines.set(promise, `| ${promise} | ${grouped.format(trials)} | ${lost.length} | ${figures} |`)
  }
  const command = `npm run stress -- --write${short ? ' --short' : ''}`
  const where = `Node ${process.version}, ${process.platform}-${process.arch}, ${availableParallelism()} cores`
  const head = `Renewed by \`${command}\` on ${new Date().toISOString().slice(0, 10)}: ${where}.`
  const table = [
    BEGIN,
    '',
    partial ? (old.find(line => line.startsWith('Renewed by')) ?? head) : head,
    '',
    '| promise | trials | lost | figures |',
    '| --- | ---: | ---: | --- |',
    ...promises.flatMap(promise => lines.get(promise) ?? []),
    '',
  ]
  return docs.slice(0, begin) + table.join('\n') + docs.slice(end)
}
