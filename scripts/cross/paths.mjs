// Keeps the paths of this machine out of the binaries.

import { homedir } from 'node:os'
import { join } from 'node:path'

/** Options of rustc that shorten the paths in panic messages: of the crates that cargo fetched, and of this folder. */
export function remapped(folder, as = 'rust') {
  const cargo = process.env.CARGO_HOME ?? join(homedir(), '.cargo')
  return `--remap-path-prefix=${folder}=${as} --remap-path-prefix=${cargo}=cargo`
}
