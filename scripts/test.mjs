// `npm test [-- ARGUMENTS OF AVA]`: sets up, then the Rust tests and the ava tests, and looks for what they left behind.
// `node scripts/test.mjs rust` and `node scripts/test.mjs node [ARGUMENTS OF AVA]` run one half.

import { isolated } from './isolate.mjs'
import { leftovers, snapshot } from './leftovers.mjs'
import { preparePeers } from './peers.mjs'
import { status } from './run.mjs'
import { setup } from './setup.mjs'

const HALVES = ['rust', 'node']

const args = process.argv.slice(2)
const half = HALVES.includes(args[0]) ? args.shift() : undefined

if (!process.env.OS_IPC_ISOLATED) {
  setup()
  if (half !== 'rust') preparePeers()
}
process.exitCode = isolated('test.mjs', process.argv.slice(2)) ?? runTests()

function runTests() {
  const before = snapshot()
  const codes = []
  if (half !== 'node') codes.push(status('cargo', ['test', '--workspace', '--quiet']))
  // TAP where a program counts the tests, ava's own report where a person reads it.
  if (half !== 'rust') codes.push(status('ava', [...(process.env.CI ? ['--tap'] : []), ...args]))
  const left = leftovers(before)
  for (const object of left) console.error(`os-ipc: the tests left behind: ${object}`)
  return left.length === 0 && codes.every(code => code === 0) ? 0 : 1
}
