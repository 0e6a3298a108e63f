// Writes the results into docs/: the tables, the numbers, the chart.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, release, totalmem, type } from 'node:os'
import { join } from 'node:path'

import { root } from '../../scripts/run.mjs'
import { chart } from './chart.mjs'
import { reportedTable, sceneTable, verdictTable } from './table.mjs'

const START = '<!-- measured by npm run bench -- --write -->'
const END = '<!-- end of what was measured -->'

/** Writes docs/benchmark.json, docs/benchmark.svg, and the part between two marks of docs/benchmark.md. */
export function write(reports) {
  const docs = join(root, 'docs')
  mkdirSync(docs, { recursive: true })
  const machine = describeMachine()
  const measured = reports.map(({ scene, results, verdicts }) => ({
    scene: scene.name,
    title: scene.title,
    operation: scene.operation,
    results,
    verdicts,
  }))
  writeFileSync(join(docs, 'benchmark.json'), `${JSON.stringify({ machine, scenes: measured }, null, 2)}\n`)
  writeFileSync(join(docs, 'benchmark.svg'), chart(reports, machine))
  const page = join(docs, 'benchmark.md')
  const [before, after] = around(readFileSync(page, 'utf8'))
  writeFileSync(page, `${before}${START}\n\n${text(reports, machine)}\n\n${END}${after}`)
}

function around(text) {
  const [start, end] = [text.indexOf(START), text.indexOf(END)]
  if (start === -1 || end === -1) throw new Error('docs/benchmark.md has lost its marks')
  return [text.slice(0, start), text.slice(end + END.length)]
}

function text(reports, machine) {
  return [
    `Measured on ${machine}. Medians of interleaved rounds.`,
    '![What an operation takes, on a logarithmic scale](benchmark.svg)',
    '## Targets',
    verdictTable(reports),
    '## Further ratios',
    reportedTable(reports),
    '## Scenes',
    ...reports.flatMap(report => [`### ${report.scene.title}`, sceneTable(report)]),
  ].join('\n\n')
}

function describeMachine() {
  const [{ model }] = cpus()
  const memory = `${Math.round(totalmem() / 2 ** 30)} GB`
  const day = new Date().toISOString().slice(0, 10)
  return `${model}, ${cpus().length} cores, ${memory}, ${type()} ${release()}, ${arch()}, Node ${process.version}, ${day}`
}
