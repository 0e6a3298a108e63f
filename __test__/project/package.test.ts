// The package of a user: its files, its declarations, and both ways to load it.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { removeNamed, uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A project of a user of the package. */
function project(t: ExecutionContext, files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-consumer-'))
  t.teardown(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'os-ipc'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

function run(t: ExecutionContext, folder: string, command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: folder, encoding: 'utf8' })
  t.is(status, 0, `${stdout}${stderr}`)
  return stdout
}

const program = `
import { ftok, IpcError, Limit, type PermitLike, type PermitSource } from 'os-ipc'
import { type RedisClient, RedisPermit, RedisLimit } from 'os-ipc/redis'
import { permitSourceCases, type PermitSourceSubject, testPermitSource } from 'os-ipc/testing'

export const jobs: PermitSource = process.env.REDIS_URL
  ? RedisLimit.connect(process.env.REDIS_URL, '/jobs', { permits: 4 })
  : Limit.openOrCreate('/jobs', { permits: 4 })
export const work = (): Promise<boolean> => jobs.use(async ({ signal }) => signal.aborted, { timeout: 1 })
export const overClient = (client: RedisClient): PermitSource => RedisLimit.over(client, '/jobs', { permits: 4 })
export const lost = async (permit: PermitLike): Promise<string> => {
  await permit.release()
  return permit instanceof RedisPermit ? (permit.signal.reason as IpcError).code : ''
}
const subject: PermitSourceSubject = { create: () => jobs, open: () => jobs }
testPermitSource((title, run) => void run().then(() => title), subject)
export const count: number = permitSourceCases(subject).length

export function limited(name: string): number {
  using slots = Limit.openOrCreate(name, { permits: 2 })
  using permit = slots.tryAcquire()
  return permit === null ? ftok('/', 1) : slots.info().free
}

export const codeOf = (error: unknown): string | undefined => (error instanceof IpcError ? error.code : undefined)
`

/** The settings of users: the type of their package, their TypeScript options, and the extension of the program. */
const COMPILATIONS = [
  ['module', 'nodenext', 'nodenext', 'ts'],
  ['module', 'esnext', 'bundler', 'ts'],
  ['commonjs', 'node16', 'node16', 'ts'],
  ['module', 'node16', 'node16', 'cts'],
] as const

for (const [type, module, moduleResolution, extension] of COMPILATIONS) {
  test(`the declarations suit a strict project with lib es2022 (${type}, ${moduleResolution}, .${extension})`, t => {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', lib: ['es2022'], types: [], noEmit: true },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
    }
    const folder = project(t, {
      'package.json': JSON.stringify({ type }),
      'tsconfig.json': JSON.stringify({ compilerOptions, files: [`program.${extension}`] }),
      [`program.${extension}`]: program,
    })
    run(t, folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'))
  })
}

test('import and require give the same package, for TypeScript and at run time', t => {
  const mixed = {
    'jobs.cts': `
import ipc = require('os-ipc')
import redis = require('os-ipc/redis')
export const ofOthers = (made: ipc.Semaphore, code: unknown) => made instanceof ipc.Semaphore && !(code instanceof ipc.IpcError)
export const classes = { ...ipc, ...redis }
`,
    'main.mts': `
import * as ipc from 'os-ipc'
import { RedisLimit } from 'os-ipc/redis'
import { classes, ofOthers } from './jobs.cjs'
const made: ipc.Semaphore = classes.Semaphore.openOrCreate(process.argv[2] ?? '', { initial: 1 })
made.unlink()
const same = Object.entries(ipc).every(([name, value]) => value === Reflect.get(classes, name))
console.log(ofOthers(made, undefined), same, classes.RedisLimit === RedisLimit)
`,
  }
  const compilerOptions = {
    ...{
      module: 'node16',
      target: 'es2022',
      lib: ['es2022'],
      typeRoots: [join(root, 'node_modules/@types')],
    },
    ...{ types: ['node'], strict: true, skipLibCheck: true },
  }
  const folder = project(t, {
    ...mixed,
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['main.mts'] }),
  })
  run(t, folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'))
  t.is(run(t, folder, process.execPath, 'main.mjs', uniqueName(t)), 'true true true\n')
})

for (const node of nodes) {
  test(`import and require give the same on Node ${node.major}`, t => {
    const folder = project(t, {
      'imports.mjs': "import * as all from 'os-ipc'; console.log(Object.keys(all).sort().join())",
      'requires.cjs': "const all = require('os-ipc'); console.log(Object.keys(all).sort().join())",
    })
    const imported = run(t, folder, node.path, 'imports.mjs')
    t.regex(imported, /IpcError.*ftok/)
    t.is(run(t, folder, node.path, 'requires.cjs'), imported)
  })
}

/** A program that waits through the imported package, posts through the required one, and does both in a worker. */
const ONE_STATE = `
import { createRequire } from 'node:module'
import { isMainThread, Worker } from 'node:worker_threads'
import * as imported from 'os-ipc'
import * as subpath from 'os-ipc/redis'
const required = createRequire(import.meta.url)('os-ipc')
const name = process.argv[2] + (isMainThread ? '' : '-worker')
const first = imported.Semaphore.create(name, { initial: 0 })
const second = required.Semaphore.open(name)
const limits = [imported.Limit.create(name + '-limit', { permits: 1 }), required.Limit.open(name + '-limit')]
const permit = limits[0].tryAcquire()
const waits = [first.wait(), second.wait(), ...limits.map(limit => limit.use(() => {}))]
second.post(2)
permit.release()
await Promise.all(waits)
const order = []
await Promise.all([
  imported.locks.request(name, async () => { await null; order.push(1) }),
  required.locks.request(name, async () => { order.push(2) }),
])
limits[1].unlink()
let error
try { required.Semaphore.open(name + '-nothing') } catch (thrown) { error = thrown }
const same = Object.keys(imported).every(key => imported[key] === required[key])
console.log(isMainThread, first.info().pending, order.join(), same, error instanceof imported.IpcError, typeof subpath.RedisLimit)
first.unlink()
if (isMainThread) new Worker(new URL(import.meta.url), { argv: [process.argv[2]] })
`

for (const node of nodes) {
  test(`import and require in one program, and in its worker, share one state on Node ${node.major}`, t => {
    const folder = project(t, { 'program.mjs': ONE_STATE })
    const name = uniqueName(t)
    t.teardown(() => removeNamed(`${name}-worker`))
    const both = ['true', 'false'].map(thread => `${thread} 0 1,2 true true function\n`).join('')
    t.is(run(t, folder, node.path, 'program.mjs', name), both)
  })
}

test('the file in a stack trace is named after its content', t => {
  const folder = project(t, {
    'program.cjs':
      "try { require('os-ipc').Semaphore.open(process.argv[2]) } catch ({ stack }) { console.log(stack) }",
  })
  t.regex(
    run(t, folder, process.execPath, 'program.cjs', uniqueName(t)),
    /at Semaphore\.open \(.*\/lib\/os-ipc\.cjs:/,
  )
})

for (const entry of ['os-ipc', 'os-ipc/redis', 'os-ipc/postgres', 'os-ipc/testing']) {
  // Code of `node -e` has no file, and a global `__filename` that names no file.
  test(`${entry} can be loaded by node -e, both ways`, t => {
    const folder = project(t, {})
    const required = run(t, folder, process.execPath, '-p', `Object.keys(require('${entry}')).sort().join()`)
    const print = `import * as all from '${entry}'; console.log(Object.keys(all).sort().join())`
    t.is(run(t, folder, process.execPath, '--input-type=module', '-e', print), required)
  })
}

test('the package holds code, declarations and documents, nothing else', t => {
  const [packed] = JSON.parse(run(t, root, 'npm', 'pack', '--dry-run', '--ignore-scripts', '--json'))
  const paths = (packed.files as { path: string }[]).map(({ path }) => path)
  for (const path of ['LICENSE', 'index.d.cts', 'index.cjs', 'index.js', 'native.cjs', 'package.json'])
    t.true(paths.includes(path), path)
  const unexpected = paths.filter(
    path =>
      !/^(lib\/[\w-]+\.cjs|cli\/(os-ipc(-win)?\.js|[\w-]+\.cjs)|(index|redis|postgres|testing)\.(c?js|d\.c?ts)|native\.cjs|package\.json|LICENSE|llms\.txt|\w+\.md)$/.test(
        path,
      ),
  )
  t.deepEqual(unexpected, [])
})
