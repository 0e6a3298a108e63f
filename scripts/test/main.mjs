// `npm test [-- ARGUMENTS OF AVA]`: sets up, runs the Rust tests, the ava tests and the short form of the stress runs, and
// searches for leftovers. `node scripts/test/main.mjs rust`, `... node [ARGUMENTS OF AVA]` and `... stress` run one part.
// `npm run test:node -- FILE` is the fast round: it prepares only what this file needs.

import { isolated } from './isolate.mjs'
import { nothingLeft, snapshot } from './leftovers.mjs'
import { testLoom } from './loom.mjs'
import { needsOf } from './needs.mjs'
import { preparePeers } from './peers.mjs'
import { status } from '../run.mjs'
import { setup } from '../setup.mjs'
import { buildForStress } from './stress-builds.mjs'

const PARTS = ['rust', 'node', 'stress']

// npm removes the first `--`. Another one would reach ava, which takes every argument behind it for a pattern.
const args = process.argv.slice(2).filter(arg => arg !== '--')
const part = PARTS.includes(args[0]) ? args.shift() : undefined

if (!process.env.OS_IPC_ISOLATED) {
  const { peers, profile } = part === 'node' ? needsOf(args) : needsOf([])
  setup({ profile: part === 'rust' ? 'any' : profile })
  if (part !== 'rust') preparePeers(peers)
  if (runs('stress')) buildForStress()
}
process.exitCode =
  isolated('test/main.mjs', part === undefined ? args : [part, ...args]) ?? (await runTests())

/** Whether this part is to run. */
function runs(name) {
  return part === undefined || part === name
}

async function runTests() {
  const before = snapshot()
  const codes = []
  if (runs('rust')) codes.push(status('cargo', ['test', '--workspace', '--quiet']), testLoom())
  // TAP where a program counts the tests, ava's own report for people.
  if (runs('node')) codes.push(status('ava', [...(process.env.CI ? ['--tap'] : []), ...args]))
  // Alone, and last, because it measures times. A run with arguments for ava does not include it.
  if (runs('stress') && args.length === 0) codes.push(status('node', ['stress/run.ts', '--short']))
  return (await nothingLeft(before)) && codes.every(code => code === 0) ? 0 : 1
}
