// Runs the test suite where no other program makes semaphores and segments: in its own IPC namespace, with its own
// /dev/shm. Leftovers there belong to the suite, and the suite cannot touch the services of the machine.

import { join } from 'node:path'

import { output, projectEnv, root, status } from '../run.mjs'

const INSIDE = 'OS_IPC_ISOLATED'
const UNSHARE = ['--ipc', '--mount', '--', 'sh', '-c', 'mount -t tmpfs tmpfs /dev/shm && exec "$@"', 'sh']

/** Runs this script again in its own namespaces and returns its exit code; undefined where it is inside already, or cannot be. */
export function isolated(script, args) {
  if (process.env[INSIDE]) return undefined
  if (process.platform !== 'linux' || output('unshare', [...UNSHARE, 'true']) === undefined) {
    console.log(
      'os-ipc: no IPC namespace of our own here (needs Linux, root and unshare): the tests share that of the machine',
    )
    return undefined
  }
  const env = { ...projectEnv, [INSIDE]: '1' }
  return status('unshare', [...UNSHARE, 'node', join(root, 'scripts', script), ...args], { env })
}
