import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'

import type { ExecutionContext } from 'ava'

/** The part of a test that a helper needs: a way to clean up, even when the test fails. */
export type Teardown = Pick<ExecutionContext, 'teardown'>

/**
 * A unique name with its slash. When the test ends, in whatever way, the semaphores of both backends and the memory of both
 * kinds with this name are removed.
 *
 * It is short enough for darwin. `suffix` distinguishes names that belong together.
 */
export function uniqueName(t: Teardown, suffix = ''): string {
  const name = `/os-ipc-${randomBytes(6).toString('hex')}${suffix}`
  t.teardown(() => removeNamed(name))
  return name
}

/** A unique System V key; its semaphore set and its segment are removed when the test ends. */
export function uniqueKey(t: Teardown): number {
  const key = randomBytes(4).readInt32LE() | 1
  t.teardown(() => removeKey(key))
  return key
}

/** The System V key of a name: FNV-1a 32 of its UTF-8 bytes, signed. Written a second time on purpose. */
export function keyOf(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash | 0
}

/** The file of a limit that is a ledger: FNV-1a 64 of the name's UTF-8 bytes. Written a second time on purpose. */
export function ledgerOf(name: string, folder = '/dev/shm'): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return `${folder}/os-ipc.counter.${hash.toString(16).padStart(16, '0')}`
}

/** Removes all objects with this name, without the package under test. */
export function removeNamed(name: string): void {
  // The objects of Windows end with their last handle.
  if (process.platform === 'win32') return
  const plain = name.replace(/^\//, '')
  rmSync(`/dev/shm/${plain}`, { force: true })
  rmSync(`/dev/shm/sem.${plain}`, { force: true })
  for (const folder of ['/dev/shm', '/var/tmp']) rmSync(ledgerOf(`/${plain}`, folder), { force: true })
  removeKey(keyOf(`/${plain}`))
}

/** Removes the semaphore set and the segment with this key. */
export function removeKey(key: number): void {
  const hex = `0x${(key >>> 0).toString(16)}`
  if (exists('sem', key)) spawnSync('ipcrm', ['-S', hex])
  if (exists('shm', key)) spawnSync('ipcrm', ['-M', hex])
}

/** Whether a semaphore set (`sem`) or a segment (`shm`) has this key, according to the kernel, not to the package. */
export function exists(facility: 'sem' | 'shm', key: number): boolean {
  if (process.platform === 'win32') return false
  if (process.platform !== 'linux') {
    const listed = spawnSync('ipcs', [facility === 'sem' ? '-s' : '-m'], { encoding: 'utf8' }).stdout
    return listed.includes(`0x${(key >>> 0).toString(16).padStart(8, '0')}`)
  }
  const [, ...rows] = readFileSync(`/proc/sysvipc/${facility}`, 'utf8').trim().split('\n')
  return rows.some(row => Number(row.trim().split(/\s+/)[0]) === key)
}
