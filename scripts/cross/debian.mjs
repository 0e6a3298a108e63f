// Debian packages, fetched and unpacked without being installed.

import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { attempt, machineEnv, output } from '../run.mjs'
import { Missing } from './missing.mjs'

let updated = false

/** The version of a package that `apt-get download` would fetch. */
export function candidate(name) {
  return field(name, 'Version')
}

/** A field of a package's record: `Depends`, `Version`. */
export function field(name, what) {
  const find = () => {
    const record = output('apt-cache', ['show', '--no-all-versions', name], { env: machineEnv }) ?? ''
    return new RegExp(`^${what}: (.*)$`, 'm').exec(record)?.[1]
  }
  const found = find() ?? (update() ? find() : undefined)
  if (found === undefined) throw new Missing(`the Debian package ${name} (apt-get update)`)
  return found
}

/** Fetches packages and unpacks them into `folder`, as if it were `/`. `options` are of apt-get. */
export function unpack(names, folder, options = []) {
  const downloads = mkdtempSync(join(tmpdir(), 'os-ipc-'))
  try {
    const download = () => attempt('apt-get', [...options, '-q', 'download', ...names], { cwd: downloads })
    // A list of packages that is some days old names files that are no longer there.
    const problem = download() && (options.length === 0 && update() ? download() : download())
    if (problem) throw new Missing(`Debian's ${names.join(', ')}: ${problem}`)
    for (const file of readdirSync(downloads)) {
      const problem = attempt('dpkg', ['-x', join(downloads, file), folder])
      if (problem) throw new Missing(`dpkg -x ${file}: ${problem}`)
    }
  } finally {
    rmSync(downloads, { recursive: true, force: true })
  }
}

function update() {
  if (updated) return false
  updated = true
  return attempt('apt-get', ['-q', 'update']) === undefined
}
