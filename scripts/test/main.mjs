// `npm test [-- ARGUMENTS OF AVA]`: sets up, then the Rust tests, the ava tests and the short form of the stress runs,
// and looks for what they left behind. `node scripts/test/main.mjs rust`, `... node [ARGUMENTS OF AVA]` and `... stress` run
// one part. `npm run test:node -- FILE` is the fast round: it prepares only what this file needs.

import { isolated } from './isolate.mjs'
import { nothingLeft, snapshot } from './leftovers.mjs'
import { testLoom } from './loom.mjs'
import { needsOf } from './needs.mjs'
import { preparePeers } from './peers.mjs'
import { status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { buildForStress } from './stress-builds.mjs'

const PARTS = ['rust', 'node', 'stress']

// npm takes the first `--` away; one more is for ava, which would take every file behind it for a pattern of its own.
const args = process.argv.slice(2).filter(arg => arg !== '--')
const part = PARTS.includes(args[0]) ? args.shift() : undefined

if (!process.env.OS_IPC_ISOLATED) {
  const { peers, profile } = part === 'node' ? needsOf(args) : needsOf([])
  setup({ profile: part === 'rust' ? 'any' : profile })
  if (part !== 'rust') preparePeers(peers)
  if (runs('stress')) buildForStress()
}
process.exitCode = isolated('test/main.mjs', part === undefined ? args : [part, ...args]) ?? runTests()

/** Is this part meant, or all of them? */
function runs(name) {
  return part === undefined || part === name
}

function runTests() {
  const before = snapshot()
  const codes = []
  if (runs('rust')) codes.push(status('cargo', ['test', '--workspace', '--quiet']), testLoom())
  // TAP where a program counts the tests, ava's own report where a person reads it.
  if (runs('node')) codes.push(status('ava', [...(process.env.CI ? ['--tap'] : []), ...args]))
  // By itself, and last: times are part of it. Whoever asks for one test of ava does not mean it.
  if (runs('stress') && args.length === 0) codes.push(status('node', ['stress/run.ts', '--short']))
  return nothingLeft(before) && codes.every(code => code === 0) ? 0 : 1
}
