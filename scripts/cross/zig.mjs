// zig, a linker that has every target's C library, and cargo-zigbuild, which passes it to cargo: both from PyPI.

import { join } from 'node:path'

import { cache, cached } from './cache.mjs'
import { install } from './pip.mjs'

const ZIG = '0.17.1'
const ZIGBUILD = '0.24.0'

/** The folder of both. */
export function zig() {
  const home = cached(`zig-${ZIG}-zigbuild-${ZIGBUILD}`, folder => {
    console.log(`os-ipc: fetching zig ${ZIG} and cargo-zigbuild ${ZIGBUILD}`)
    install([`ziglang==${ZIG}`, `cargo-zigbuild==${ZIGBUILD}`], folder)
  })
  return { zigbuild: join(home, 'bin', 'cargo-zigbuild'), zig: join(home, 'ziglang', 'zig') }
}

/** The variables with which cargo-zigbuild finds zig, and with which both keep what they make in the cache. */
export function zigEnvironment() {
  return {
    CARGO_ZIGBUILD_ZIG_PATH: zig().zig,
    CARGO_ZIGBUILD_CACHE_DIR: join(cache, 'zigbuild'),
    ZIG_GLOBAL_CACHE_DIR: join(cache, 'zig'),
  }
}
