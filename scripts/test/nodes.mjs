// `npm run test:nodes [-- 22|24|26...]`: runs the ava suite on each supported Node, always with the present addon.

import { delimiter, dirname, join } from 'node:path'

import { isolated } from './isolate.mjs'
import { nothingLeft, snapshot } from './leftovers.mjs'
import { preparePeers } from './peers.mjs'
import { bin, fail, projectEnv, root, status } from '../run.mjs'
import { setup } from '../setup.mjs'

const NODES = { 22: 'node22', 24: 'node', 26: 'node26' }

const args = process.argv.slice(2)
const unknown = args.find(major => !NODES[major])
if (unknown) fail(`${unknown} is none of ${Object.keys(NODES).join(', ')}`, 2)
if (!process.env.OS_IPC_ISOLATED) {
  setup()
  preparePeers()
}
process.exitCode = isolated('test/nodes.mjs', args) ?? runAll(args.length > 0 ? args : Object.keys(NODES))

function runAll(majors) {
  const before = snapshot()
  const codes = majors.map(major => {
    const node = join(root, 'node_modules', NODES[major], 'bin', 'node')
    console.log(`# Node ${major}`)
    // Programs that the tests start by name also get this Node.
    const env = { ...projectEnv, PATH: [dirname(node), projectEnv.PATH].join(delimiter) }
    if (Number(major) < 24) env.NODE_OPTIONS = `--import=${join(root, 'scripts/test/older-syntax.mjs')}`
    return status(node, [join(bin, 'ava'), ...(process.env.CI ? ['--tap'] : [])], { env })
  })
  return nothingLeft(before) && codes.every(code => code === 0) ? 0 : 1
}
