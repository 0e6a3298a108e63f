// `node scripts/build-native.mjs [--debug]`: the addon in the profile release or debug, and a mark that records the profile.

import { readFileSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'

import { markAddon } from './addon.mjs'
import { root, run } from './run.mjs'

const TYPES = join(root, 'native.d.cts')

const profile = process.argv.includes('--debug') ? 'debug' : 'release'
const { mtime, text } = { mtime: statSync(TYPES).mtime, text: readFileSync(TYPES, 'utf8') }
run('napi', [
  ...['build', '--platform', '--no-const-enum', ...(profile === 'release' ? ['--release'] : [])],
  ...['--manifest-path', 'crates/os-ipc-node/Cargo.toml', '--output-dir', '.'],
  ...['--js', 'native.cjs', '--dts', 'native.d.cts'],
])
markAddon(profile)
// Unchanged types do not make the JavaScript stale.
if (readFileSync(TYPES, 'utf8') === text) utimesSync(TYPES, mtime, mtime)
