// Runs every linter and formatter, also after one of them has failed; `npm run format` fixes what it can.
// `npm run lint -- --rustup` lets rustup install what clippy needs for other platforms.

import { actionlint } from './cross/actionlint.mjs'
import { Missing } from './cross/missing.mjs'
import { output, status } from './run.mjs'
import { setup } from './setup.mjs'

const LINTERS = [
  ['cargo', 'fmt', '--all', '--check'],
  ['cargo', 'clippy', '-p', 'os-ipc', '--all-targets', '--quiet', '--', '-D', 'warnings'],
  // Without --all-targets: in a test build napi-derive registers no function, so all of them are dead code.
  ['cargo', 'clippy', '-p', 'os-ipc-node', '--lib', '--quiet', '--', '-D', 'warnings'],
  ['biome', 'ci', `--colors=${process.stdout.isTTY ? 'force' : 'off'}`],
  ['tsc', '--noEmit'],
  ['shellcheck', '.ci/run', 'examples/thumbnails/thumbnails.sh'],
  ['actionlint', '.github/workflows/ci.yml'],
  ['node', 'scripts/cross/lint-targets.mjs', ...process.argv.slice(2)],
]

/** The programs that may be missing: each is the program, or a line that explains how to get it. */
const FOUND = {
  shellcheck: () => {
    if (output('shellcheck', ['--version']) === undefined) throw new Missing('apt-get install shellcheck')
    return 'shellcheck'
  },
  actionlint,
}

setup({ quiet: true, profile: 'any' })
let failed = 0
for (const [command, ...args] of LINTERS) {
  const line = [command, ...args].join(' ')
  try {
    const program = FOUND[command]?.() ?? command
    if (status(program, args) === 0) {
      console.log(`lint ok: ${line}`)
    } else {
      failed += 1
      console.log(`lint failed: ${line}`)
    }
  } catch (error) {
    if (!(error instanceof Missing)) throw error
    console.log(`lint skipped: ${line} (${error.message})`)
  }
}
process.exit(failed === 0 ? 0 : 1)
