// The programs that the machine must have before this package can be built.

import { fail, output } from '../run.mjs'

const NODE = 20
const RUST = [1, 88]
const RUSTUP = 'install Rust with rustup, https://rustup.rs, or put ~/.cargo/bin on the PATH'

/** Ends with one line that explains how to get a missing program. */
export function checkTools() {
  const node = Number.parseInt(process.versions.node, 10)
  if (node < NODE) fail(`Node.js ${NODE} or later is needed, this is ${process.version}: https://nodejs.org`)
  for (const [tool, arg, how] of [
    ['npm', '--version', 'it comes with Node.js: https://nodejs.org'],
    ['cargo', '--version', RUSTUP],
    ['rustc', '--version', RUSTUP],
    [
      'cc',
      '--version',
      'a C compiler links the addon: `apt-get install gcc libc6-dev`, `xcode-select --install`',
    ],
  ]) {
    const version = output(tool, [arg])
    if (version === undefined) fail(`${tool} is missing or does not run; ${how}`)
    if (tool === 'rustc' && !atLeast(version, RUST)) {
      fail(`Rust ${RUST.join('.')} or later is needed, this is ${version.trim()}: \`rustup update stable\``)
    }
  }
}

function atLeast(text, [major, minor]) {
  const [, foundMajor, foundMinor] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number)
  return foundMajor > major || (foundMajor === major && foundMinor >= minor)
}
