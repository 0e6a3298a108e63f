// The package in the hands of TypeScript as users have it: the oldest compiler that works, and the types of the newest Node.

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import test from 'ava'

import { npmTool } from '../shared/npm-tools.ts'
import { write } from '../shared/project.ts'
import { requires } from '../shared/requires.ts'
import { installed, packed } from './helpers/installed.ts'

const execute = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))

const undo: (() => void)[] = []
test.after.always(() => {
  for (const fn of undo) fn()
})
const packages = packed({ teardown: fn => undo.push(fn as () => void) })

/** TypeScript 5.2, with the types of Node 24. */
const oldest = npmTool('oldest-typescript')
const beside = (name: string) =>
  join(oldest.path.slice(0, oldest.path.lastIndexOf('/node_modules/')), 'node_modules', name)

const USE = `
import * as ipc from 'os-ipc'
import { Limit, locks, SharedMemory, type IpcErrorDetails, type LockManager } from 'os-ipc'
import { permitSourceCases } from 'os-ipc/testing'
import * as threads from 'node:worker_threads'

// Each is assignable to the other.
const ofNode: typeof threads.locks = locks
const ours: LockManager = ofNode
const details: IpcErrorDetails = { hint: 'a hint' }
const error: ipc.IpcError = new ipc.IpcError('ECODE', 'a message', details)
const copy: Buffer = SharedMemory.open('/a').toBuffer()
const used: Promise<string> = Limit.open('/a').use(async permit => String(permit.released), { timeout: 5 })
const requested: Promise<string | undefined> = locks.request('a', { timeout: 5 }, lock => lock?.name)
const aborted: Promise<boolean | undefined> = locks.request('a', async lock => lock?.signal.aborted)
export { ours, error, copy, used, requested, aborted, permitSourceCases }
`
const REQUIRE = `
import ipc = require('os-ipc')
import postgres = require('os-ipc/postgres')
export const limit: ipc.Limit = ipc.Limit.open('/a')
export const shared: postgres.PostgresLocks = postgres.PostgresLocks.connect('postgres://host/db')
`

const compilers = [
  ['the oldest TypeScript, 5.2', oldest.path, 'node16'],
  ['the TypeScript of this package', join(repository, 'node_modules/typescript/bin/tsc'), 'nodenext'],
] as const

for (const [title, compiler, module] of compilers) {
  requires(oldest)(`${title} compiles modules and CommonJS (module: ${module}) without lib.dom`, async t => {
    const home = installed(t, packages, {
      '@types/node': beside('@types/node'),
      'undici-types': beside('undici-types'),
      // The peers have types of their own, and need not be installed for the others.
      pg: join(repository, 'node_modules/pg'),
      '@types/pg': join(repository, 'node_modules/@types/pg'),
      'pg-types': join(repository, 'node_modules/pg-types'),
      'pg-protocol': join(repository, 'node_modules/pg-protocol'),
    })
    write(join(home, 'module.mts'), USE)
    write(join(home, 'common.cts'), USE)
    write(join(home, 'require.cts'), REQUIRE)
    const options = ['--noEmit', '--strict', '--exactOptionalPropertyTypes', '--types', 'node']
    const language = [
      '--target',
      'es2022',
      '--lib',
      'es2022',
      '--module',
      module,
      '--moduleResolution',
      module,
    ]
    const run = execute(
      process.execPath,
      [compiler, ...options, ...language, 'module.mts', 'common.cts', 'require.cts'],
      { cwd: home },
    )
    await t.notThrowsAsync(run.catch(({ stdout, stderr }) => Promise.reject(new Error(`${stdout}${stderr}`))))
  })
}
