// The lock files of other packages: a lock and its release, uncontended.

import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { node } from './contenders.mjs'

/** A file of this contender alone. */
function lockFile({ object, atTheEnd }) {
  const path = join(tmpdir(), `os-ipc${object.replaceAll('/', '-')}.lock`)
  writeFileSync(path, '')
  atTheEnd(() => rmSync(path, { force: true }))
  return path
}

/** The lock-file contenders of a scene that takes something and releases it. */
export const lockContenders = {
  'fs-ext': node(async context => {
    const { default: fsExt } = await import('fs-ext')
    const file = openSync(lockFile(context), 'r+')
    context.atTheEnd(() => closeSync(file))
    return count => {
      for (let index = 0; index < count; index += 1) {
        fsExt.flockSync(file, 'exnb')
        fsExt.flockSync(file, 'un')
      }
    }
  }),
  'os-lock': node(async context => {
    const { lock, unlock } = await import('os-lock').then(module => module.default ?? module)
    const file = openSync(lockFile(context), 'r+')
    context.atTheEnd(() => closeSync(file))
    return async count => {
      for (let index = 0; index < count; index += 1) {
        await lock(file, { exclusive: true, immediate: true })
        await unlock(file)
      }
    }
  }),
  'proper-lockfile': node(async context => {
    const { default: lockfile } = await import('proper-lockfile')
    const path = lockFile(context)
    return async count => {
      for (let index = 0; index < count; index += 1) {
        const release = await lockfile.lock(path)
        await release()
      }
    }
  }),
  'async-mutex': node(async () => {
    const { Mutex } = await import('async-mutex')
    const mutex = new Mutex()
    return async count => {
      for (let index = 0; index < count; index += 1) {
        const release = await mutex.acquire()
        release()
      }
    }
  }),
}
