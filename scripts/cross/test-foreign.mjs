// `npm run test:foreign [-- linux-x64-musl|linux-arm64-gnu|linux-arm64-musl...]`: runs the conformance suite on other
// platforms than this machine, with the binaries of `npm run build:all`.

import { existsSync } from 'node:fs'

import { conform } from '../test/conformance.mjs'
import { foreign } from './foreign.mjs'
import { Missing } from './missing.mjs'
import { isolated } from '../test/isolate.mjs'
import { status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { selected } from './targets.mjs'

const args = process.argv.slice(2)
const targets = selected(args.length > 0 ? args : Object.keys(foreign))
if (!process.env.OS_IPC_ISOLATED) {
  setup({ quiet: true })
  const missing = targets.filter(({ path }) => !existsSync(path)).map(({ name }) => name)
  if (missing.length > 0) status('node', ['scripts/cross/build-all.mjs', ...missing])
}
process.exitCode = isolated('cross/test-foreign.mjs', args) ?? runAll()

function runAll() {
  let failed = 0
  for (const { name, path } of targets) {
    try {
      const { command, cannot } = foreign[name]
      if (!existsSync(path)) throw new Missing(`npm run build:all -- ${name}`)
      // The loader derives the C library from the machine, not from the Node.
      const env = { NAPI_RS_NATIVE_LIBRARY_PATH: path, OS_IPC_LIMIT: '60000' }
      failed += conform(name, [command()], { env, cannot })
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      console.log(`ok 1 - ${name} # SKIP missing: ${error.message}`)
    }
  }
  return failed === 0 ? 0 : 1
}
