// Runs `npm ci`, but only when node_modules differs from package-lock.json.

import { existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

import { bin, fail, machineEnv, root, run } from './run.mjs'

/** Returns whether it installed anything. */
export function install({ quiet = false } = {}) {
  const needed = !isInstalled()
  if (needed) {
    console.error('os-ipc: installing the npm packages')
    run('npm', ['ci', '--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'], {
      env: machineEnv,
      quiet,
    })
    if (!existsSync(join(root, 'node_modules/node/bin/node'))) {
      fail(
        'npm ci did not fetch Node 24: its install scripts are switched off; `npm config delete ignore-scripts`',
      )
    }
  }
  preferNode24()
  return needed
}

/** Whether every package of the lock file is there in its version; optional ones may be missing. */
function isInstalled() {
  if (!existsSync(join(root, 'node_modules/node/bin/node'))) return false
  const wanted = packages('package-lock.json')
  const found = packages('node_modules/.package-lock.json')
  if (!wanted || !found) return false
  return Object.entries(wanted).every(
    ([path, { version, optional }]) =>
      path === '' || found[path]?.version === version || (optional && !found[path]),
  )
}

function packages(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
  } catch {
    return undefined
  }
}

/** Three packages bring a `node`, and npm links the last of them. This links Node 24. */
function preferNode24() {
  const link = join(bin, 'node')
  rmSync(link, { force: true })
  symlinkSync(join('..', 'node', 'bin', 'node'), link)
}
