// Tells whether a built file is older than its sources.

import { readdirSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

import { root } from './run.mjs'

/**
 * Both are lists of files, folders (with all files in them) and patterns: `lib/**\/*.ts`, or a `*` in the file name.
 * A missing output counts as stale.
 */
export function isStale({ sources, outputs }) {
  const built = outputs.map(files)
  if (built.some(found => found.length === 0)) return true
  const newestSource = Math.max(...sources.flatMap(files).map(changed))
  const oldestOutput = Math.min(...built.flat().map(changed))
  return newestSource > oldestOutput
}

function changed(file) {
  return statSync(file).mtimeMs
}

function files(pattern) {
  const path = join(root, pattern)
  if (!basename(path).includes('*')) return everyFile(path)
  const recursive = basename(dirname(path)) === '**'
  const [start, end] = basename(path).split('*')
  const inside = recursive
    ? everyFile(dirname(dirname(path)))
    : readdirSync(dirname(path)).map(name => join(dirname(path), name))
  return inside.filter(file => basename(file).startsWith(start) && basename(file).endsWith(end))
}

function everyFile(path) {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) return []
  if (!found.isDirectory()) return [path]
  return readdirSync(path).flatMap(name => everyFile(join(path, name)))
}
