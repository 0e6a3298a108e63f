// Checks that the committed generated files are what the sources generate now.

import { addonProfile } from '../addon.mjs'
import { diagrams } from './diagrams.mjs'
import { fail, output, run } from '../run.mjs'
import { setup } from '../setup.mjs'

const GENERATED = [
  ...['index', 'redis', 'postgres', 'testing'].flatMap(name => [`${name}.d.ts`, `${name}.d.cts`]),
  ...['native.cjs', 'native.d.cts', 'docs/api.md', 'docs/cli.md'],
  ...Object.keys(diagrams),
]

if (output('git', ['rev-parse', '--is-inside-work-tree']) === undefined)
  fail('check:generated needs a git checkout')
setup({ quiet: true, profile: 'any' })
// The present profile stays, because both profiles generate the same files.
run('npm', ['run', '--silent', addonProfile() === 'debug' ? 'build:debug' : 'build'], { quiet: true })
run('npm', ['run', '--silent', 'diagrams'], { quiet: true })
const stale = output('git', ['diff', '--name-only', '--', ...GENERATED]).trim()
if (stale)
  fail(
    `stale: ${stale.replaceAll('\n', ', ')}; \`npm run build\` and \`npm run diagrams\`, then \`git add ${GENERATED.join(' ')}\``,
  )
console.log(`up to date: ${GENERATED.join(', ')}`)
