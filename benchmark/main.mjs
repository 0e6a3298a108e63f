// `npm run bench [-- --only NAME] [-- --write]` and `npm run bench:smoke`, behind scripts/bench.mjs.

import { parseArgs } from 'node:util'

import { optionsOf } from '../scripts/options.mjs'
import { findPrograms } from './shared/programs.mjs'
import { measure } from './shared/rounds.mjs'
import { write } from './shared/report.mjs'
import { reportedTable, sceneTable, verdictTable } from './shared/table.mjs'
import { differences } from './shared/work.mjs'
import { scenes } from './scenes/all.mjs'

const { values } = optionsOf('usage: npm run bench -- [--only SCENE]... [--smoke] [--write]', () =>
  parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      smoke: { type: 'boolean' },
      write: { type: 'boolean' },
    },
  }),
)

const names = scenes.map(scene => scene.name)
const unknown = values.only?.filter(name => !names.includes(name)) ?? []
if (unknown.length > 0) {
  console.error(`there is no scene ${unknown.join(', ')}; there are ${names.join(', ')}`)
  process.exit(2)
}

findPrograms()
const chosen = scenes.filter(scene => values.only?.includes(scene.name) ?? true)
const reports = []
const wrong = []
for (const [index, scene] of chosen.entries()) {
  const place = `${index + 1} of ${chosen.length}, ${scene.name}`
  const progress = text => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${place}: ${text}`)
  if (!process.stderr.isTTY) console.error(place)
  const results = await measure(scene, { smoke: values.smoke, progress })
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  wrong.push(...differences(scene, results))
  const report = { scene, results, verdicts: scene.targets.map(target => target.judge(results)) }
  reports.push(report)
  if (!values.smoke) console.log(`\n${scene.title}\n\n${sceneTable(report)}`)
}
for (const line of wrong) console.error(`not the same work: ${line}`)
if (values.smoke) {
  const contenders = reports.flatMap(({ results }) => Object.values(results)).filter(({ absent }) => !absent)
  console.log(`${reports.length} scenes ran, ${contenders.length} contenders did the same work in each`)
} else {
  for (const rows of [verdictTable(reports), reportedTable(reports)]) if (rows) console.log(`\n${rows}`)
  if (values.write) write(reports)
}
process.exitCode = wrong.length > 0 ? 1 : 0
