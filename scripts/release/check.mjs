// `npm run release:check`: lists all that would be published, with sizes, and everything that is not ready.

import { existsSync, mkdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'

import { outOfStep, version } from './manifests.mjs'
import { pack } from './pack.mjs'
import { output, root, status } from '../run.mjs'
import { isStale } from '../stale.mjs'
import { targets } from '../cross/targets.mjs'

const problems = []
const kilobytes = bytes => `${(bytes / 1024).toFixed(1)} KB`

const folder = join(root, '.cache', 'packages')
rmSync(folder, { recursive: true, force: true })
mkdirSync(folder, { recursive: true })
for (const { name, size, unpackedSize, files } of pack(folder)) {
  console.log(`npm: ${name} ${version}, ${kilobytes(size)} (${kilobytes(unpackedSize)} unpacked)`)
  for (const { path, size } of files) console.log(`  ${path} ${kilobytes(size)}`)
}
const packaged = status('cargo', ['package', '--package', 'os-ipc', '--quiet', '--allow-dirty'], {
  quiet: true,
})
if (packaged !== 0) problems.push('cargo package -p os-ipc fails')
const crate = (output('cargo', ['package', '--package', 'os-ipc', '--list', '--allow-dirty']) ?? '')
  .trim()
  .split('\n')
const built = join(process.env.CARGO_TARGET_DIR ?? join(root, 'target'), 'package', `os-ipc-${version}.crate`)
console.log(`crates: os-ipc ${version}, ${sizeOf(built)}, ${crate.length} files`)
for (const path of crate) console.log(`  ${path} ${sizeOf(join(root, 'crates', 'os-ipc', path))}`.trimEnd())

if (!crate.includes('LICENSE')) problems.push('the crate has no LICENSE')
for (const file of outOfStep()) problems.push(`${file} is not at ${version}: npm version`)
for (const { name, path, folder } of targets) {
  const rebuild = `npm run build:all -- ${name}`
  if (!existsSync(path)) problems.push(`no binary for ${name}: ${rebuild}`)
  // In CI the binaries come from another machine, which built them from the same commit.
  else if (
    !process.env.CI &&
    isStale({ sources: ['Cargo.toml', 'Cargo.lock', 'crates'], outputs: [`npm/${name}/*.node`] })
  ) {
    problems.push(`the binary for ${name} is older than its sources: ${rebuild}`)
  }
  if (!existsSync(join(folder, 'README.md'))) problems.push(`npm/${name} has no README.md`)
}
const heading = `## ${version} - `
const dated = readFileSync(join(root, 'CHANGELOG.md'), 'utf8').split(heading)[1]
if (!/^\d{4}-\d\d-\d\d/.test(dated ?? '')) problems.push(`CHANGELOG.md has no "${heading}" with a date`)
if (readFileSync(join(root, 'README.md'), 'utf8').includes('is not released yet')) {
  problems.push('README.md says that this is not released yet')
}
const changed = output('git', ['status', '--porcelain'])?.trim()
if (changed) problems.push(`changes that are not committed:\n${changed}`)

for (const problem of problems) console.log(`not ready: ${problem}`)
console.log(problems.length === 0 ? `ready: ${version}` : `${problems.length} things to do`)
process.exitCode = problems.length === 0 ? 0 : 1

/** The size of a file; nothing for a file that cargo generates while it packs. */
function sizeOf(file) {
  const found = statSync(file, { throwIfNoEntry: false })
  return found ? kilobytes(found.size) : ''
}
