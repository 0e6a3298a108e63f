// `npm run test:nodes [-- 22|24|26...]`: runs the ava suite on each supported Node, always with the present addon.
//
// What `npm test` has whatever its own Node is, is not run here again: the tests that are about the repository, or about JavaScript
// alone, and the fixtures that it runs on every Node.

import { readdirSync } from 'node:fs'
import { delimiter, dirname, join, sep } from 'node:path'

import { isolated } from './isolate.mjs'
import { nothingLeft, snapshot } from './leftovers.mjs'
import { preparePeers } from './peers.mjs'
import { bin, fail, projectEnv, root, status } from '../run.mjs'
import { setup } from '../setup.mjs'

const SAME_ON_EVERY_NODE =
  /^__test__\/(channel\/interleavings|project\/(compilers|diagrams|mutants|package|release|seams|tally|tarball|targets|types|version|workflow))\.test\.ts$/
const NODES = { 22: 'node22', 24: 'node', 26: 'node26' }

const args = process.argv.slice(2)
const unknown = args.find(major => !NODES[major])
if (unknown) fail(`${unknown} is none of ${Object.keys(NODES).join(', ')}`, 2)
if (!process.env.OS_IPC_ISOLATED) {
  setup()
  preparePeers()
}
process.exitCode =
  isolated('test/nodes.mjs', args) ?? (await runAll(args.length > 0 ? args : Object.keys(NODES)))

async function runAll(majors) {
  const before = snapshot()
  const there = readdirSync(join(root, '__test__'), { recursive: true }).filter(file =>
    file.endsWith('.test.ts'),
  )
  const all = there.map(file => `__test__/${file.split(sep).join('/')}`)
  const files = all.filter(file => !SAME_ON_EVERY_NODE.test(file)).sort()
  console.log(`# ${all.length - files.length} files find the same on every Node, and are not run here`)
  const codes = majors.map(major => {
    const node = join(root, 'node_modules', NODES[major], 'bin', 'node')
    console.log(`# Node ${major}`)
    // Programs that the tests start by name also get this Node.
    const PATH = [dirname(node), projectEnv.PATH].join(delimiter)
    const env = { ...projectEnv, PATH, OS_IPC_OWN_NODE: '1' }
    if (Number(major) < 24) env.NODE_OPTIONS = `--import=${join(root, 'scripts/test/older-syntax.mjs')}`
    return status(node, [join(bin, 'ava'), ...(process.env.CI ? ['--tap'] : []), ...files], { env })
  })
  return (await nothingLeft(before)) && codes.every(code => code === 0) ? 0 : 1
}
