// `npm run release:publish`, with an npm that only records its arguments.

import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { folder, write } from '../shared/project.ts'
import { targets } from '../../scripts/cross/targets.mjs'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const NAMES = [...targets.map(({ name }) => `os-ipc-${name}`), 'os-ipc']

/** Publishes this version of a copy, on a registry that has some of the packages already. */
function publish(
  t: ExecutionContext,
  version: string,
  { published = [] as readonly string[], tarballs = NAMES, env = {} } = {},
): { status: number | null; stderr: string; asked: string[] } {
  const home = folder(t)
  cpSync(join(repository, 'scripts'), join(home, 'scripts'), { recursive: true })
  const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8'))
  write(join(home, 'package.json'), JSON.stringify({ ...manifest, version }))
  for (const name of tarballs) write(join(home, 'packages', `${name}-${version}.tgz`), '')
  const log = write(join(home, 'log'), '')
  const npm = join(home, 'node_modules', '.bin', 'npm')
  const views = published.map(name => `"view ${name}@${version} version") echo ${version};;`).join(' ')
  write(npm, `#!/bin/sh\ncase "$*" in ${views} view*) exit 1;; *) echo "$*" >> ${log};; esac\n`)
  chmodSync(npm, 0o755)
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(home, 'scripts', 'release', 'publish.mjs'), join(home, 'packages')],
    { env: { ...process.env, GITHUB_REF_TYPE: '', GITHUB_REF_NAME: '', ...env }, encoding: 'utf8' },
  )
  const asked = readFileSync(log, 'utf8').trim().split('\n').filter(Boolean)
  return { status, stderr, asked: asked.map(line => line.replaceAll(`${home}/packages/`, '')) }
}

test('all packages are published with their provenance, the platforms first', t => {
  const { status, stderr, asked } = publish(t, '1.2.3')
  t.is(status, 0, stderr)
  t.deepEqual(
    asked,
    NAMES.map(name => `publish ${name}-1.2.3.tgz --ignore-scripts --access public --provenance`),
  )
})

test('a prerelease does not become the version that npm installs by default', t => {
  const { asked } = publish(t, '1.2.3-rc.1')
  t.is(asked.length, NAMES.length)
  for (const line of asked) t.regex(line, / --tag next /)
})

test('a package that is already published is left alone', t => {
  const { status, asked } = publish(t, '1.2.3', { published: NAMES.slice(0, -1) })
  t.is(status, 0)
  t.is(asked.length, 1)
  t.regex(asked[0] ?? '', /^publish os-ipc-1\.2\.3\.tgz /)
})

test('nothing is published while one of the packages is missing', t => {
  const { status, stderr, asked } = publish(t, '1.2.3', { tarballs: NAMES.slice(1) })
  t.is(status, 1)
  t.true(stderr.includes(`${NAMES[0]} of version 1.2.3`))
  t.deepEqual(asked, [])
})

test('nothing is published from a tag that does not match the version', t => {
  const tag = (name: string) => ({ env: { GITHUB_REF_TYPE: 'tag', GITHUB_REF_NAME: name } })
  const wrong = publish(t, '1.2.3', tag('v1.2.4'))
  t.is(wrong.status, 1)
  t.regex(wrong.stderr, /v1\.2\.4 is not that of version 1\.2\.3/)
  t.deepEqual(wrong.asked, [])
  t.is(publish(t, '1.2.3', tag('v1.2.3')).asked.length, NAMES.length)
})
