// The eight platforms that have their own package, and the promises of each binary.

import { join } from 'node:path'

import { root } from '../run.mjs'

/** The oldest glibc that the `gnu` binaries run on: that of RHEL 7. Node 22 itself wants 2.28. */
export const GLIBC_FLOOR = '2.17'

const TRIPLES = {
  'linux-x64-gnu': 'x86_64-unknown-linux-gnu',
  'linux-arm64-gnu': 'aarch64-unknown-linux-gnu',
  'linux-x64-musl': 'x86_64-unknown-linux-musl',
  'linux-arm64-musl': 'aarch64-unknown-linux-musl',
  'darwin-x64': 'x86_64-apple-darwin',
  'darwin-arm64': 'aarch64-apple-darwin',
  // LLVM's tools make these binaries. They serve the Node of Microsoft's compiler, because only C calls pass between the two.
  // The generated loader asks for the names.
  'win32-x64-msvc': 'x86_64-pc-windows-gnullvm',
  'win32-arm64-msvc': 'aarch64-pc-windows-gnullvm',
}

/** The triples that the generated loader and `napi` know these targets by, where they have other ones. */
const LOADER_TRIPLES = {
  'win32-x64-msvc': 'x86_64-pc-windows-msvc',
  'win32-arm64-msvc': 'aarch64-pc-windows-msvc',
}

/** The oldest macOS for each processor: the oldest that Rust supports. */
const MACOS_FLOOR = { x64: '10.13', arm64: '11.0' }

export const targets = Object.entries(TRIPLES).map(target)
export const windowsTargets = targets.filter(({ os }) => os === 'win32')

function target([name, triple]) {
  const [os, cpu, abi] = name.split('-')
  const file = `os-ipc.${name}.node`
  return {
    /** The part after `os-ipc-` in the name of the platform package; also its folder in `npm`. */
    name,
    triple,
    /** Its triple in the field `napi` of package.json. */
    loaderTriple: LOADER_TRIPLES[name] ?? triple,
    os,
    cpu,
    /** The C library of Linux: `gnu` or `musl`. */
    libc: os === 'linux' ? abi : undefined,
    file,
    folder: join(root, 'npm', name),
    /** The path of the binary, once it is built. */
    path: join(root, 'npm', name, file),
    macos: os === 'darwin' ? MACOS_FLOOR[cpu] : undefined,
  }
}

/** The targets with these names or triples; all targets when there are no names. */
export function selected(names) {
  const unknown = names.find(name => !targets.some(target => target.name === name || target.triple === name))
  if (unknown !== undefined) {
    throw new RangeError(`${unknown} is none of ${targets.map(({ name }) => name).join(', ')}`)
  }
  if (names.length === 0) return targets
  return targets.filter(({ name, triple }) => names.includes(name) || names.includes(triple))
}
