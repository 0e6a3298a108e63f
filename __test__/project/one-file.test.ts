// The fast round: `npm run test:node -- FILE` prepares what this file needs and runs nothing else.

import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { program } from '../shared/child.ts'
import { folder } from '../shared/project.ts'
import { requires } from '../shared/requires.ts'
import { privateIpc, withTmpfs } from '../shared/surroundings.ts'
import { needsOf } from '../../scripts/test/needs.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const EVERYTHING = { peers: undefined, profile: 'release' }

test('a file that imports no peers needs none, and any build of the addon', t => {
  t.deepEqual(needsOf(['__test__/memory/planted.test.ts']), { peers: [], profile: 'any' })
  t.deepEqual(needsOf(['__test__/memory/planted.test.ts', '--match', '*link*']), {
    peers: [],
    profile: 'any',
  })
})

test('what the imports of a file import counts too', t => {
  t.deepEqual(needsOf(['__test__/semaphore/peers.test.ts']).peers, ['python', 'c', 'go'])
  t.deepEqual([...(needsOf(['__test__/project/examples.test.ts']).peers ?? [])].sort(), [
    ...['c', 'go', 'numpy', 'python'],
  ])
  t.is(needsOf(['__test__/project/tarball.test.ts']).profile, 'release')
})

test('without a file, with a folder or with a pattern everything is prepared', t => {
  for (const args of [[], ['--match', '*link*'], ['__test__/memory'], ['__test__/**/planted.test.ts']]) {
    t.deepEqual(needsOf(args), EVERYTHING, args.join(' '))
  }
})

test('a debug addon is not taken for a release, and neither is one without a mark', t => {
  const home = folder(t)
  const addon = join(home, 'os-ipc.linux-x64-gnu.node')
  // `root` is where the scripts are.
  const scripts = { 'addon.mjs': '', 'run.mjs': '' }
  for (const name of Object.keys(scripts)) {
    writeFileSync(join(home, name), readFileSync(join(repository, 'scripts', name)))
  }
  const code = `
import { mkdirSync, cpSync } from 'node:fs'
mkdirSync('scripts', { recursive: true })
for (const name of ['addon.mjs', 'run.mjs']) cpSync(name, 'scripts/' + name)
const { addonProfile, markAddon } = await import(process.cwd() + '/scripts/addon.mjs')
if (process.argv[1]) markAddon(process.argv[1])
console.log(addonProfile())
`
  const profile = (...mark: string[]) =>
    spawnSync(process.execPath, ['--input-type=module', '-e', code, ...mark], {
      cwd: home,
      encoding: 'utf8',
    }).stdout.trim()
  t.is(profile(), 'undefined')
  writeFileSync(addon, 'first')
  t.is(profile(), 'undefined')
  t.is(profile('debug'), 'debug')
  t.is(profile('release'), 'release')
  rmSync(addon)
  writeFileSync(addon, 'another')
  t.is(profile(), 'undefined')
})

for (const dashes of [[], ['--']]) {
  // The command runs in a private namespace because it looks for objects left behind, and removes the locks of killed processes.
  requires(privateIpc(), withTmpfs('1m'))(
    `the command with one file runs only that file [${['node', ...dashes, 'FILE'].join(' ')}]`,
    async t => {
      const file = '__test__/project/tally.test.ts'
      const main = join(repository, 'scripts/test/main.mjs')
      const { code, stdout } = await program(t, [process.execPath, main, 'node', ...dashes, file], {
        env: { OS_IPC_ISOLATED: '1', CI: 'true' },
        within: [privateIpc(), withTmpfs('1m')],
      }).exit
      t.is(code, 0, stdout)
      const titles = readFileSync(join(repository, file), 'utf8').match(/^test\(/gm) ?? []
      t.is(stdout.match(/^ok /gm)?.length, titles.length, stdout)
    },
  )
}
