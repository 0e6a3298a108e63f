// Electron forbids buffers over foreign memory. npm alone does not provide its binary, so this builds the addon with
// Electron's answer in it, which then runs in Node.

import { copyFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

import { root, run } from '../run.mjs'

/** Builds that addon and returns its path. */
export function electronAddon() {
  const features = ['--features', 'refuse-external-buffers']
  run('cargo', ['build', '--quiet', '--package', 'os-ipc-node', ...features])
  const library = `libos_ipc_node.${process.platform === 'darwin' ? 'dylib' : 'so'}`
  const addon = join(root, '.cache', 'electron', 'os-ipc.node')
  mkdirSync(join(addon, '..'), { recursive: true })
  copyFileSync(join(root, 'target', 'debug', library), addon)
  return addon
}
