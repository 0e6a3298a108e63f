// A Rust compiler and a standard library for a target that rustup has not installed: Debian's compiler, unpacked, and the
// standard library, compiled once for each target from the sources that Debian ships with it.

import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { attempt, output, status } from '../run.mjs'
import { cached } from './cache.mjs'
import { candidate, field, unpack } from './debian.mjs'
import { Missing } from './missing.mjs'
import { remapped } from './paths.mjs'

/**
 * The value of RUSTC for a target; undefined where the installed compiler is enough.
 *
 * @param rustup - Whether rustup may complete the installed one.
 * @param make - Whether missing parts are fetched and compiled.
 */
export function rustcFor(target, { rustup = false, make = true } = {}) {
  if (rustup && attempt('rustup', ['target', 'add', target.triple]) === undefined) return undefined
  const sysroot = output('rustc', ['--print', 'sysroot'])?.trim()
  if (sysroot && existsSync(join(sysroot, 'lib', 'rustlib', target.triple, 'lib'))) return undefined
  if (output('dpkg', ['--version']) === undefined) {
    throw new Missing(`Rust's standard library for ${target.name} (rustup target add ${target.triple})`)
  }
  const home = compiler(make)
  const rustc = join(home, 'rustc')
  const library = join(home, 'usr', 'lib', 'rustlib', target.triple, 'lib')
  if (!existsSync(library)) {
    if (!make) throw new Missing(`npm run build:all -- ${target.name}`)
    compileStandardLibrary(target, rustc, library)
  }
  return rustc
}

/** Debian's newest Rust for its browsers, unpacked: if it were installed, it would conflict with rustup. */
function compiler(make) {
  const version = candidate('rustc-web')
  return cached(`rust-${version}`, folder => {
    if (!make) throw new Missing('npm run build:all')
    console.log(`os-ipc: fetching Rust ${version} from Debian (160 MB)`)
    const library = `libstd-rust-web-${/^\d+\.\d+/.exec(version)[0]}`
    const [llvm, major] = /libllvm(\d+)/.exec(field(library, 'Depends')) ?? []
    if (!llvm) throw new Missing(`the LLVM of ${library}`)
    unpack(
      [
        ...['rustc-web', 'rust-web-clippy', 'rust-web-llvm', 'rust-web-src', 'libstd-rust-web-dev'],
        // The package llvm has the objcopy that strips binaries of other platforms.
        ...[library, llvm, `lld-${major}`, `llvm-${major}`],
      ],
      folder,
    )
    for (const program of ['rustc', 'clippy-driver']) {
      const script = `#!/bin/sh
usr="$(dirname "$0")/usr"
LD_LIBRARY_PATH="$usr/lib/x86_64-linux-gnu" exec "$usr/bin/${program}" "$@"
`
      writeFileSync(join(folder, program), script, { mode: 0o755 })
    }
  })
}

function compileStandardLibrary({ name, triple, macos }, rustc, library) {
  console.log(`os-ipc: compiling Rust's standard library for ${name} (a minute or two, once)`)
  const home = join(library, '..')
  const crate = join(home, `std.${process.pid}.tmp`)
  mkdirSync(join(crate, 'src'), { recursive: true })
  try {
    writeFileSync(join(crate, 'Cargo.toml'), '[package]\nname = "std-of"\nedition = "2021"\n\n[workspace]\n')
    writeFileSync(join(crate, 'src', 'lib.rs'), '')
    const env = {
      ...process.env,
      RUSTC: rustc,
      // -Zbuild-std needs a nightly; this variable lets a stable compiler accept it.
      RUSTC_BOOTSTRAP: '1',
      // Link-time optimisation of the addon includes the standard library.
      RUSTFLAGS: `-Cembed-bitcode=yes ${remapped(join(home, '..', '..', '..', '..'))}`,
      CARGO_TARGET_DIR: join(crate, 'target'),
      ...(macos && { MACOSX_DEPLOYMENT_TARGET: macos }),
    }
    const args = ['build', '--quiet', '--release', '-Zbuild-std=std,panic_unwind', '--target', triple]
    const code = status('cargo', [...args, '--manifest-path', join(crate, 'Cargo.toml')], {
      env,
      quiet: true,
    })
    if (code !== 0) throw new Missing(`Rust's standard library for ${name}: it does not compile`)
    const built = join(crate, 'target', triple, 'release', 'deps')
    const whole = join(crate, 'lib')
    mkdirSync(whole)
    for (const file of readdirSync(built)) {
      if (file.endsWith('.rlib')) copyFileSync(join(built, file), join(whole, file))
    }
    renameSync(whole, library)
  } finally {
    rmSync(crate, { recursive: true, force: true })
  }
}
