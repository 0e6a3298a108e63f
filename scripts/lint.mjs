// Every linter and formatter, all of them even when one complains; `npm run format` mends what can be mended.

import { output, status } from './run.mjs'
import { setup } from './setup.mjs'

const LINTERS = [
  ['cargo', 'fmt', '--all', '--check'],
  ['cargo', 'clippy', '-p', 'os-ipc', '--all-targets', '--quiet', '--', '-D', 'warnings'],
  // Not as a test: there napi-derive registers no function, and all of them are dead code.
  ['cargo', 'clippy', '-p', 'os-ipc-node', '--lib', '--quiet', '--', '-D', 'warnings'],
  ['biome', 'ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`],
  ['tsc', '--noEmit'],
  ['shellcheck', '.ci/run'],
]

setup({ quiet: true })
let failed = 0
for (const [command, ...args] of LINTERS) {
  const line = [command, ...args].join(' ')
  if (command === 'shellcheck' && output(command, ['--version']) === undefined) {
    console.log(`lint skipped: ${line} (apt-get install shellcheck)`)
  } else if (status(command, args) === 0) {
    console.log(`lint ok: ${line}`)
  } else {
    failed += 1
    console.log(`lint failed: ${line}`)
  }
}
process.exit(failed === 0 ? 0 : 1)
