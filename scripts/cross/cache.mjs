// What was fetched for building and testing other platforms, outside of the clone: one folder a tool and version, so
// that a new version begins anew and an old one can be deleted.

import { mkdirSync, renameSync, rmSync, existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

export const cache = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'os-ipc')

/**
 * The folder of this name in the cache; `fill` makes what is in it when it is not there.
 *
 * It is filled under another name first: a folder that is there is whole.
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
    // Somebody else was quicker: theirs is as good.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(unfinished, { recursive: true, force: true })
  }
  return folder
}
