// Everything between a fresh clone and running code: tools, npm packages, addon, JavaScript.
// It does only what is missing or stale, so every other script starts with it.

import { fileURLToPath } from 'node:url'

import { install } from './install.mjs'
import { run } from './run.mjs'
import { isStale } from './stale.mjs'
import { checkTools } from './test/tools.mjs'

const NATIVE = {
  sources: ['Cargo.toml', 'Cargo.lock', 'build.rs', 'crates', 'package.json'],
  outputs: [`os-ipc.*.node`, 'native.cjs', 'native.d.cts'],
}
const JAVASCRIPT = {
  sources: [
    'index.ts',
    'redis.ts',
    'postgres.ts',
    'testing.ts',
    'lib/**/*.ts',
    'cli/**/*.ts',
    'native.d.cts',
    'tsconfig.json',
    'tsconfig.build.json',
    'rollup.config.mjs',
  ],
  outputs: [
    ...['index', 'redis', 'postgres', 'testing'].flatMap(name =>
      ['js', 'cjs', 'd.ts', 'd.cts'].map(end => `${name}.${end}`),
    ),
    ...['lib/**/*.js', 'lib/**/*.cjs', 'cli/**/*.js', 'cli/*.cjs'],
  ],
}

/** `quiet` says in a line what it does, and shows what the tools print only when they fail. */
export function setup({ quiet = false } = {}) {
  checkTools()
  const installed = install({ quiet })
  if (installed || isStale(NATIVE)) build('native', 'the addon, half a minute or more')
  if (installed || isStale(JAVASCRIPT)) build('ts', 'JavaScript and declarations')

  function build(part, what) {
    console.error(`os-ipc: building ${what}`)
    run('npm', ['run', '--silent', `build:${part}`], { quiet })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup()
