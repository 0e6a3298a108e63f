// The profile of the addon in this folder. Most tests need only a debug addon, which is built in seconds.

import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { root } from './run.mjs'

const MARK = join(root, '.cache', 'addon.json')

/** Notes the profile of the addon that has just been built. */
export function markAddon(profile) {
  mkdirSync(join(root, '.cache'), { recursive: true })
  writeFileSync(MARK, JSON.stringify({ profile, changed: changed() }))
}

/** `'release'` or `'debug'`; undefined where there is no addon, or another command put it there. */
export function addonProfile() {
  try {
    const mark = JSON.parse(readFileSync(MARK, 'utf8'))
    return mark.changed === changed() ? mark.profile : undefined
  } catch {
    return undefined
  }
}

/** The time at which the addon was written: a different addon does not match this mark. */
function changed() {
  const name = readdirSync(root).find(file => /^os-ipc\..*\.node$/.test(file))
  return name && statSync(join(root, name)).mtimeMs
}
