// `npm version` changes every file that has the version, and nothing else.

import { spawnSync } from 'node:child_process'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { folder } from '../shared/project.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const FILES = [
  'package.json',
  'package-lock.json',
  'Cargo.toml',
  'Cargo.lock',
  'native.cjs',
  'npm',
  'scripts',
]

test('npm version keeps the version of all manifests equal', t => {
  const home = folder(t)
  for (const file of FILES)
    cpSync(join(repository, file), join(home, file), { recursive: true, filter: text })
  const { version } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8'))

  const { status, stdout, stderr } = spawnSync('npm', ['version', '12.34.5-rc.6', '--no-git-tag-version'], {
    cwd: home,
    encoding: 'utf8',
  })
  t.is(status, 0, stdout + stderr)

  const platforms = [
    'linux-x64-gnu',
    'linux-arm64-gnu',
    'linux-x64-musl',
    'linux-arm64-musl',
    'darwin-x64',
    'darwin-arm64',
  ]
  const changed = [
    ...['package.json', 'package-lock.json', 'Cargo.toml', 'Cargo.lock', 'native.cjs'],
    ...platforms.map(name => `npm/${name}/package.json`),
  ]
  for (const file of changed) {
    const before = readFileSync(join(repository, file), 'utf8').split('\n')
    const after = readFileSync(join(home, file), 'utf8').split('\n')
    t.is(after.length, before.length, file)
    const lines = after.filter((line, index) => line !== before[index])
    t.true(lines.length > 0, file)
    for (const line of lines) t.true(line.includes('12.34.5-rc.6'), `${file}: ${line}`)
  }
  t.false(readFileSync(join(home, 'native.cjs'), 'utf8').includes(`'${version}'`))
})

/** Built files stay in their place. */
function text(path: string): boolean {
  return !path.endsWith('.node')
}
