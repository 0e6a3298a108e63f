// `npm run lock`, after `npm install` of a new package: completes package-lock.json. npm leaves out the optional packages of
// other platforms that its registry does not have, and then `npm ci` refuses the file everywhere.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from '../run.mjs'

/** `@rollup/rollup-linux-arm64-musl`: the system, the processor, and the rest. */
const PLATFORM =
  /-(aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32|wasm32)-([^-]+)(?:-(.+))?$/
const EXACT_VERSION = /^\d+\.\d+\.\d+/

const file = join(root, 'package-lock.json')
const lock = JSON.parse(readFileSync(file, 'utf8'))
const added = {}
for (const { optionalDependencies = {} } of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    const path = `node_modules/${name}`
    if (!lock.packages[path] && EXACT_VERSION.test(version)) added[path] = entry(name, version)
  }
}
lock.packages = sorted({ ...lock.packages, ...added })
writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`)
console.log(`package-lock.json: added ${Object.keys(added).length} packages of other platforms`)

function entry(name, version) {
  const [, os, cpu, abi] = PLATFORM.exec(name) ?? []
  if (!os) throw new Error(`${name} is missing, and its name says no platform`)
  if (os === 'wasm32') return { version, cpu: ['wasm32'], dev: true, optional: true }
  const libc = abi?.startsWith('musl')
    ? ['musl']
    : os === 'linux' && abi?.startsWith('gnu')
      ? ['glibc']
      : undefined
  return { version, cpu: [cpu], dev: true, ...(libc && { libc }), optional: true, os: [os] }
}

/** Sorts as npm does: by path, the root package first. */
function sorted(packages) {
  return Object.fromEntries(Object.entries(packages).sort(([a], [b]) => a.localeCompare(b, 'en')))
}
