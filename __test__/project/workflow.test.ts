// CI runs on any machine: its steps are scripts of this package.

import { readFileSync } from 'node:fs'

import test from 'ava'

const read = (file: string) => readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8')
const lines = read('.github/workflows/ci.yml').split('\n')
const values = (key: string) =>
  lines.flatMap(line => new RegExp(`^ +(?:- )?${key}: (.*)$`).exec(line)?.[1] ?? [])

test('every step of the workflow is one call of an npm script that exists', t => {
  const { scripts } = JSON.parse(read('package.json'))
  const steps = values('run')
  t.true(steps.length > 0)
  for (const step of steps) {
    const [, script = ''] = /^(?:docker run .* )?npm run ([\w:]+)(?: -- [^&|;]*)?$/.exec(step) ?? []
    t.true(script in scripts, step)
  }
})

test('every action of the workflow is pinned by its commit, and names its version', t => {
  const actions = values('uses')
  t.true(actions.length > 0)
  for (const action of actions) t.regex(action, /^actions\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/)
})

test('only the job that publishes has more than read permissions', t => {
  t.deepEqual(
    lines.filter(line => /: write$/.test(line)).map(line => line.trim()),
    ['id-token: write'],
  )
  t.true(lines.includes('permissions:') && lines.includes('  contents: read'))
})
