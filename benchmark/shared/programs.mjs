// Builds and installs the other programs of the scenes: only the missing or stale ones, and only for the scenes.

import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

import { preparePeers } from '../../scripts/test/peers.mjs'
import { attempt, fail, machineEnv, output, root, run } from '../../scripts/run.mjs'
import { isStale } from '../../scripts/stale.mjs'

export const home = join(root, 'benchmark')

const BARE = 'benchmark/bare/target/release/bare'
const GO = '.cache/bench-go'
const RING = '.cache/bench-ring'

/** The command of each; undefined where it is not available. {@link preparePrograms} and {@link findPrograms} fill it. */
export const programs = { bare: join(root, BARE), go: undefined, python: undefined, ring: undefined }

/** Builds everything; ends the process where a required program is missing. */
export function preparePrograms() {
  installPeers()
  preparePeers()
  buildBare()
  buildGo()
  buildRing()
  findPrograms()
}

/** Finds the programs that {@link preparePrograms} built. */
export function findPrograms() {
  const peers = JSON.parse(readFileSync(join(root, '.cache/peers/peers.json'), 'utf8'))
  const [python] = peers.python.command ?? []
  programs.python = python && [python, join(home, 'peers/bench.py')]
  programs.go = existsSync(join(root, GO)) ? join(root, GO) : undefined
  programs.ring = existsSync(join(root, RING)) ? join(root, RING) : undefined
}

function installPeers() {
  const done = 'benchmark/node_modules/.package-lock.json'
  if (!isStale({ sources: ['benchmark/package-lock.json'], outputs: [done] })) return
  console.error('os-ipc: installing the peers of the benchmark')
  // Three of the peers compile code. The headers come with the optional packages, because node-gyp's own download is not
  // available everywhere.
  const options = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error', '--prefix', home]
  run('npm', ['ci', '--ignore-scripts', ...options], { env: machineEnv, quiet: true })
  const headers = join(home, `node_modules/node-${process.platform}-${process.arch}`)
  const env = existsSync(headers)
    ? { ...programEnvironment(), npm_config_nodedir: headers }
    : programEnvironment()
  run('npm', ['rebuild', ...options], { env, quiet: true })
}

/** The peers are compiled for the Node that runs them: this one. */
function programEnvironment() {
  return { ...process.env, PATH: `${join(root, 'node_modules/.bin')}:${process.env.PATH}` }
}

function buildBare() {
  if (!isStale({ sources: ['benchmark/bare/src', 'benchmark/bare/Cargo.toml'], outputs: [BARE] })) return
  console.error('os-ipc: building the program of the bare calls, in Rust')
  run(
    'cargo',
    ['build', '--quiet', '--locked', '--release', '--manifest-path', join(home, 'bare/Cargo.toml')],
    { quiet: true },
  )
}

function buildGo() {
  if (!isStale({ sources: ['benchmark/peers/go'], outputs: [GO] })) return
  if (output('go', ['version']) === undefined) return console.error('os-ipc: no go, its cells stay empty')
  const problem = attempt('go', ['build', '-buildvcs=false', '-o', join(root, GO), '.'], {
    cwd: join(home, 'peers/go'),
  })
  if (problem) fail(problem)
}

function buildRing() {
  const source = join(home, 'peers/ring.c')
  if (!isStale({ sources: ['benchmark/peers/ring.c'], outputs: [RING] })) return
  if (output('cc', ['--version']) === undefined) return console.error('os-ipc: no cc, its cells stay empty')
  const problem = attempt('cc', ['-O2', '-Wall', '-Wextra', '-Werror', '-o', join(root, RING), source])
  if (problem) fail(problem)
}
