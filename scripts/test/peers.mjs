// Builds the peers of the interop tests into .cache/peers: programs in Python, C and Go that share semaphores and memory
// with this package, and a Python with numpy for the example. A missing peer is one line, and its tests are skipped.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { Missing } from '../cross/missing.mjs'
import { zig, zigEnvironment } from '../cross/zig.mjs'
import { attempt, output, root } from '../run.mjs'
import { isStale } from '../stale.mjs'

const SOURCES = '__test__/peers'
const CACHE = '.cache/peers'

const at = path => join(root, path)

/** The peer for Windows is only made where it is asked for, by `npm run peers` and by the tests under Wine: it needs zig. */
const PREPARE = { python, numpy, c, go, windows }
const USUAL = ['python', 'numpy', 'c', 'go']

/** Writes `.cache/peers/peers.json`: the command line of each peer, or the reason why it is missing. */
export function preparePeers(names = USUAL) {
  if (names.length === 0) return
  mkdirSync(at(CACHE), { recursive: true })
  const prepared = Object.fromEntries(names.map(name => [name, PREPARE[name]()]))
  for (const [name, { missing }] of Object.entries(prepared)) {
    if (missing) console.log(`os-ipc: no ${name} peer, its tests are skipped: ${missing}`)
  }
  writeFileSync(
    at(`${CACHE}/peers.json`),
    `${JSON.stringify({ ...preparedBefore(), ...prepared }, null, 2)}\n`,
  )
}

function preparedBefore() {
  try {
    return JSON.parse(readFileSync(at(`${CACHE}/peers.json`), 'utf8'))
  } catch {
    return {}
  }
}

function python() {
  const { interpreter, missing } = environment('python', `${SOURCES}/requirements.txt`)
  return missing ? { missing } : { command: [interpreter, at(`${SOURCES}/peer.py`)] }
}

/** Separate from the Python peer, which also works where numpy is not available. */
function numpy() {
  const { interpreter, missing } = environment('numpy', 'examples/numpy/requirements.txt')
  return missing ? { missing } : { command: [interpreter] }
}

/** A virtual environment with these requirements; returns its interpreter. */
function environment(name, requirements) {
  const home = `${CACHE}/${name}`
  // Written last, so that an interrupted installation begins again.
  const done = `${home}/installed.txt`
  if (isStale({ sources: [requirements], outputs: [done] })) {
    if (output('python3', ['--version']) === undefined) return { missing: 'python3 is not there' }
    const problem =
      attempt('python3', ['-m', 'venv', '--clear', at(home)]) ??
      attempt(at(`${home}/bin/python`), ['-m', 'pip', 'install', '--quiet', '-r', at(requirements)])
    if (problem) return { missing: `${problem} (Debian: apt-get install python3-venv)` }
    writeFileSync(at(done), 'yes\n')
  }
  return { interpreter: at(`${home}/bin/python`) }
}

function c() {
  const binary = `${CACHE}/peer-c`
  const sources = ['peer.c', 'channel.c', 'channel.h', 'stamped.c', 'stamped.h'].map(
    file => `${SOURCES}/${file}`,
  )
  if (isStale({ sources, outputs: [binary] })) {
    const options = ['-std=c11', '-Wall', '-Wextra', '-O1', '-pthread']
    const files = sources.filter(file => file.endsWith('.c')).map(at)
    const problem = attempt('cc', [...options, '-o', at(binary), ...files])
    if (problem) return { missing: problem }
  }
  return { command: [at(binary)] }
}

/** The C program that uses memory of Windows, for Wine. */
function windows() {
  const binary = `${CACHE}/windows.exe`
  const source = `${SOURCES}/windows.c`
  if (process.platform !== 'linux' || process.arch !== 'x64') return { missing: 'zig makes it on Linux x64' }
  if (isStale({ sources: [source], outputs: [binary] })) {
    try {
      const options = ['-target', 'x86_64-windows-gnu', '-std=c11', '-Wall', '-Wextra', '-O1']
      const env = { ...process.env, ...zigEnvironment() }
      const problem = attempt(zig().zig, ['cc', ...options, '-o', at(binary), at(source)], { env })
      if (problem) return { missing: problem }
    } catch (error) {
      if (!(error instanceof Missing)) throw error
      return { missing: error.message }
    }
  }
  return { command: [at(binary)] }
}

function go() {
  const binary = `${CACHE}/peer-go`
  if (process.platform !== 'linux') return { missing: 'it makes the system calls of Linux' }
  // The peer uses the package of the example.
  if (isStale({ sources: [`${SOURCES}/go`, 'examples/frames-go/go'], outputs: [binary] })) {
    if (output('go', ['version']) === undefined) return { missing: 'go is not there: https://go.dev/dl' }
    const problem = attempt('go', ['build', '-buildvcs=false', '-o', at(binary), '.'], {
      cwd: at(`${SOURCES}/go`),
    })
    if (problem) return { missing: problem }
  }
  return { command: [at(binary)] }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) preparePeers(Object.keys(PREPARE))
