import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import { capabilities, type LockMode, locks, type LockManager, type LockOptions } from '../../../index.js'
import { HostLockManager } from '../../../lib/lock/manager.js'
import { child, type Child, type FixtureOptions } from '../../shared/child.ts'
import { exists, keyOf, removeKey, type Teardown, uniqueName } from '../../shared/names.ts'

/** Locks of one kind: those of the platform, or those made of files, which work everywhere. */
export interface Engine {
  readonly name: 'sysv' | 'files' | 'postgres'
  /** `test`, with the engine in the title. */
  test(title: string, implementation: (t: ExecutionContext) => void | Promise<void>): void
  readonly manager: LockManager
  /** The folder that a fixture needs to have the same locks: `locks-of.ts`. */
  readonly folder: string
  /** The name of a lock that no other program uses. */
  lockName(t: Teardown): string
  /** Whether anything of the lock is left on this host. */
  isThere(name: string): boolean | Promise<boolean>
}

/** The files that the last user of a lock leaves stay on Windows: only those of its users count. */
const SUFFIX = process.platform === 'win32' ? '.user.' : ''

/** An engine whose locks this host can inspect by itself. */
export interface HostEngine extends Engine {
  readonly name: 'sysv' | 'files'
  isThere(name: string): boolean
}

/** Declares the same tests for every engine. */
export function onEveryEngine(declare: (engine: HostEngine) => void): void {
  if (capabilities.defaultBackend === 'sysv') declare(sysv)
  declare(files())
}

export const sysv: HostEngine = {
  name: 'sysv',
  test: (title, implementation) => test(`${title} (sysv)`, implementation),
  manager: locks,
  folder: '',
  lockName(t) {
    const name = uniqueName(t).slice(1)
    t.teardown(() => removeKey(lockKeyOf(name)))
    return name
  },
  isThere: name => exists('sem', lockKeyOf(name)),
}

function files(): HostEngine {
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-locks-'))
  // On Windows a file that a thread of ours keeps open for a while cannot be removed yet.
  const patient = { maxRetries: 100, retryDelay: 100 }
  test.after.always(() => rmSync(folder, { recursive: true, force: true, ...patient }))
  return {
    name: 'files',
    test: (title, implementation) => test(`${title} (files)`, implementation),
    manager: new HostLockManager(folder),
    folder,
    lockName: t => uniqueName(t).slice(1),
    isThere: name => readdirSync(folder).some(file => file.startsWith(hashOf(name) + SUFFIX)),
  }
}

/** The System V key of a lock. */
export function lockKeyOf(name: string): number {
  return keyOf(`os-ipc:lock:${name}`)
}

/** A process that requests a lock, prints `held`, and keeps it until it reads `release`. */
export function holder(
  t: ExecutionContext,
  engine: Engine,
  name: string,
  options: LockOptions = {},
  childOptions: Omit<FixtureOptions, 'args'> = {},
): Child {
  return child(t, 'lock/hold-lock.ts', {
    limit: 60_000,
    ...childOptions,
    args: [engine.folder, name, JSON.stringify(options)],
  })
}

/** Whether a request gets the lock at once. */
export function isFree(manager: LockManager, name: string, mode: LockMode = 'exclusive'): Promise<boolean> {
  return manager.request(name, { mode, ifAvailable: true }, lock => lock !== null)
}

/** The beginning of the names of a lock's files: FNV-1a 64 of the UTF-8 bytes of its name. */
function hashOf(name: string): string {
  let hash = 0xcbf29ce484222325n
  for (const byte of Buffer.from(name)) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n)
  return hash.toString(16).padStart(16, '0')
}
