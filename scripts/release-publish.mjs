// `npm run release:publish -- FOLDER [--dry-run]`: publishes the tarballs of a folder, the platforms first, so that the
// package never asks for one that is not there yet. What is published already is left alone: it can be run again.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'

import { fail, output, run } from './run.mjs'
import { version } from './manifests.mjs'
import { targets } from './targets.mjs'

const [folder, ...options] = process.argv.slice(2)
if (!folder) fail('which folder? `npm run release:publish -- FOLDER [--dry-run]`', 2)
const names = [...targets.map(({ name }) => `os-ipc-${name}`), 'os-ipc']
const missing = names.filter(name => !readdirSync(folder).includes(`${name}-${version}.tgz`))
if (missing.length > 0) fail(`${folder} has no ${missing.join(', ')} of version ${version}`)
const provenance = options.includes('--dry-run') ? [] : ['--provenance']
for (const name of names) {
  if (output('npm', ['view', `${name}@${version}`, 'version'])?.trim() === version) {
    console.log(`os-ipc: ${name} ${version} is published`)
  } else {
    const args = ['publish', join(folder, `${name}-${version}.tgz`), '--ignore-scripts', '--access', 'public']
    run('npm', [...args, ...provenance, ...options])
  }
}
