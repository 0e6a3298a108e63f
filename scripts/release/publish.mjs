// `npm run release:publish -- FOLDER [--dry-run]`: publishes the tarballs of a folder, the platforms first, so that the
// package never needs one that is not published yet. It skips published packages, so it can be run again.
// A prerelease (1.2.3-rc.1) gets the tag `next`, so npm installs it only on request.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { fail, output, run } from '../run.mjs'
import { version } from './manifests.mjs'
import { targets } from '../cross/targets.mjs'

const [folder, ...options] = process.argv.slice(2)
if (!folder) fail('which folder? `npm run release:publish -- FOLDER [--dry-run]`', 2)
// The tag that started CI; the version of package.json is the one that would be published.
const { GITHUB_REF_TYPE, GITHUB_REF_NAME } = process.env
if (GITHUB_REF_TYPE === 'tag' && GITHUB_REF_NAME !== `v${version}`) {
  fail(`the tag ${GITHUB_REF_NAME} is not that of version ${version}: npm version`)
}
const names = [...targets.map(({ name }) => `os-ipc-${name}`), 'os-ipc']
const missing = names.filter(name => !readdirSync(folder).includes(`${name}-${version}.tgz`))
if (missing.length > 0) fail(`${folder} has no ${missing.join(', ')} of version ${version}`)
const provenance = options.includes('--dry-run') ? [] : ['--provenance']
const tag = version.includes('-') ? ['--tag', 'next'] : []
for (const name of names) {
  if (output('npm', ['view', `${name}@${version}`, 'version'])?.trim() === version) {
    console.log(`os-ipc: ${name} ${version} is published`)
  } else {
    const args = ['--ignore-scripts', '--access', 'public', ...tag]
    run('npm', ['publish', join(folder, `${name}-${version}.tgz`), ...args, ...provenance, ...options])
  }
}
