// Prepares a fresh clone to run code: tools, npm packages, addon, JavaScript.
// It does only what is missing or stale, so every other script starts with it.

import { fileURLToPath } from 'node:url'

import { addonProfile } from './addon.mjs'
import { install } from './install.mjs'
import { run } from './run.mjs'
import { isStale } from './stale.mjs'
import { checkTools } from './test/tools.mjs'

const NATIVE = {
  sources: ['Cargo.toml', 'Cargo.lock', 'build.rs', 'crates', 'package.json'],
  // native.cjs and native.d.cts are built with it, and stay as they are when their content does not change.
  outputs: [`os-ipc.*.node`],
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

/**
 * With `quiet` it prints one line for each step, and the output of a tool only when the tool fails. `profile` is that of the addon:
 * `'release'`, or `'any'`, which accepts the present addon and replaces a stale one by a debug build.
 */
export function setup({ quiet = false, profile = 'release' } = {}) {
  checkTools()
  const installed = install({ quiet })
  const isFast = profile === 'any'
  if (installed || isStale(NATIVE) || (!isFast && addonProfile() !== 'release')) {
    if (isFast) build('the debug addon', 'node', ['scripts/build-native.mjs', '--debug'])
    else build('the addon, half a minute or more', 'node', ['scripts/build-native.mjs'])
  }
  if (installed || isStale(JAVASCRIPT)) {
    build('JavaScript and declarations', 'npm', ['run', '--silent', 'build:ts'])
  }

  function build(what, command, args) {
    console.error(`os-ipc: building ${what}`)
    run(command, args, { quiet })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) setup()
