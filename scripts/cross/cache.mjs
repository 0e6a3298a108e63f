// The files fetched for building and testing other platforms, outside of the clone: one folder for each tool and version, so
// that a new version begins anew and an old one can be deleted.

import { mkdirSync, renameSync, rmSync, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'os-ipc')

/**
 * The folder of this name in the cache; `fill` makes its content when the folder is missing.
 *
 * The folder is filled under another name first: so a folder that exists is complete.
 */
export function cached(name, fill) {
  const folder = join(cache, name)
  if (existsSync(folder)) return folder
  const unfinished = join(cache, `${name}.${process.pid}.tmp`)
  mkdirSync(unfinished, { recursive: true })
  try {
    fill(unfinished)
    renameSync(unfinished, folder)
  } catch (error) {
    // Another process was quicker: its folder is as good.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}
