// Writes the version of package.json into the other files that contain it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'

import { root } from '../run.mjs'
import { targets } from '../cross/targets.mjs'

const NUMBER = '\\d+\\.\\d+\\.\\d+(?:-[\\w.]+)?'

export const version = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version

/** Each file, and the places in it: the version is between the two groups. */
const PLACES = [
  ...targets.map(({ folder }) => [join(folder, 'package.json'), [/("version": ")VERSION(")/]]),
  [
    join(root, 'Cargo.toml'),
    [/(\[workspace\.package\]\nversion = ")VERSION(")/, /(\nos-ipc = \{ version = ")VERSION(")/],
  ],
  [
    join(root, 'Cargo.lock'),
    [/(\nname = "os-ipc"\nversion = ")VERSION(")/, /(\nname = "os-ipc-node"\nversion = ")VERSION(")/],
  ],
  // The generated loader contains the version that it expects, for the case that it has to compare.
  [join(root, 'native.cjs'), [/(bindingPackageVersion !== ')VERSION(')/g, /(expected )VERSION( but got)/g]],
]

/** Updates the files whose version differs from that of package.json, and returns their names. */
export function keepInStep() {
  return differing().map(([file, text]) => {
    writeFileSync(file, text)
    return relative(root, file)
  })
}

/** Returns their names without changing anything. */
export function outOfStep() {
  return differing().map(([file]) => relative(root, file))
}

function differing() {
  return PLACES.flatMap(([file, patterns]) => {
    const before = readFileSync(file, 'utf8')
    let after = before
    for (const pattern of patterns) {
      const place = new RegExp(pattern.source.replace('VERSION', NUMBER), pattern.flags)
      if (!place.test(before)) throw new Error(`${file} has no ${pattern}`)
      after = after.replace(new RegExp(place, pattern.flags), `$1${version}$2`)
    }
    return after === before ? [] : [[file, after]]
  })
}
