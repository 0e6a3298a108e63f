// The builds that the stress runs need besides the package itself.

import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { root, run } from '../run.mjs'

/** The addon with the assertions of Rust and of napi-rs. */
export const DEBUG_ADDON = join(root, '.cache/os-ipc.debug.node')

/** A program without Node that makes semaphores until it is killed: `crates/os-ipc/examples/create.rs`. */
export const CREATE = join(root, 'target/release/examples/create')

export function buildForStress() {
  run('cargo', ['build', '--quiet', '-p', 'os-ipc-node'])
  mkdirSync(join(root, '.cache'), { recursive: true })
  copyFileSync(join(root, 'target/debug/libos_ipc_node.so'), DEBUG_ADDON)
  run('cargo', ['build', '--quiet', '--release', '-p', 'os-ipc', '--example', 'create'])
}
