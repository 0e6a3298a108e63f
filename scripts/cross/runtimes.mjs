// Bun and Deno, from npm, into the cache: too large for a devDependency that everybody downloads.

import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { attempt } from '../run.mjs'
import { cache, cached } from './cache.mjs'
import { Missing } from './missing.mjs'

const RUNTIMES = {
  bun: { version: '1.4.5', program: 'node_modules/bun/bin/bun.exe' },
  deno: { version: '2.9.6', program: 'node_modules/deno/deno' },
}

/** Where the program is, once it was fetched. */
export function find(name) {
  return join(cache, folder(name), RUNTIMES[name].program)
}

/** The program, fetched if it was not. */
export function runtime(name) {
  const { version, program } = RUNTIMES[name]
  cached(folder(name), home => {
    console.log(`os-ipc: fetching ${name} ${version} from npm`)
    // npm of some versions asks before it runs the install scripts that put the program into its place.
    const manifest = { private: true, dependencies: { [name]: version }, allowScripts: { [name]: true } }
    writeFileSync(join(home, 'package.json'), JSON.stringify(manifest))
    const problem = attempt('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: home })
    if (problem) throw new Missing(`${name} from npm: ${problem}`)
    if (!existsSync(join(home, program))) throw new Missing(`${name}: its install script did not run`)
  })
  return find(name)
}

function folder(name) {
  return `${name}-${RUNTIMES[name].version}`
}
