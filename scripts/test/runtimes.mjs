// `npm run test:runtimes [-- bun|deno|electron|node22|node24|node26...]`: the conformance suite on other runtimes.

import { join } from 'node:path'

import { conform } from './conformance.mjs'
import { Missing } from '../cross/missing.mjs'
import { tool } from '../cross/npm-tools.mjs'
import { isolated } from './isolate.mjs'
import { electronAddon } from './rehearse-electron.mjs'
import { fail, root } from '../run.mjs'
import { setup } from '../setup.mjs'

const node = name => [join(root, 'node_modules', name, 'bin', 'node')]

/** The command of each runtime, and its environment. */
const RUNTIMES = {
  node22: () => [node('node22')],
  node24: () => [node('node')],
  node26: () => [node('node26')],
  bun: () => [[tool('bun')]],
  deno: () => [[tool('deno'), 'run', '--quiet', '--allow-all']],
  electron: () => [node('node'), { NAPI_RS_NATIVE_LIBRARY_PATH: electronAddon() }],
}

const args = process.argv.slice(2)
const unknown = args.find(name => !RUNTIMES[name])
if (unknown) fail(`${unknown} is none of ${Object.keys(RUNTIMES).join(', ')}`, 2)
if (!process.env.OS_IPC_ISOLATED) setup({ quiet: true })
process.exitCode =
  isolated('test/runtimes.mjs', args) ?? runAll(args.length > 0 ? args : Object.keys(RUNTIMES))

function runAll(names) {
  let failed = 0
  for (const name of names) {
    try {
      const [command, env] = RUNTIMES[name]()
      failed += conform(name, command, { env })
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      console.log(`ok 1 - ${name} # SKIP missing: ${error.message}`)
    }
  }
  return failed === 0 ? 0 : 1
}
