// What users get: the files of the package, its declarations, and both ways to load it.

import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { nodes } from './helpers/nodes.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** A project of somebody who uses the package. */
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
import { ftok, IpcError, type PermitLike, type PermitSource, Semaphore } from 'os-ipc'
import { type RedisClient, RedisPermit, RedisSemaphore } from 'os-ipc/redis'
import { permitSourceCases, type PermitSourceSubject, testPermitSource } from 'os-ipc/testing'

export const jobs: PermitSource = process.env.REDIS_URL
  ? RedisSemaphore.connect(process.env.REDIS_URL, '/jobs', { permits: 4 })
  : Semaphore.openOrCreate('/jobs', { initial: 4 })
export const work = (): Promise<boolean> => jobs.use(async ({ signal }) => signal.aborted, { timeout: 1 })
export const overClient = (client: RedisClient): PermitSource => RedisSemaphore.over(client, '/jobs', { permits: 4 })
export const lost = async (permit: PermitLike): Promise<string> => {
  await permit.release()
  return permit instanceof RedisPermit ? (permit.signal.reason as IpcError).code : ''
}
const subject: PermitSourceSubject = { create: () => jobs, open: () => jobs }
testPermitSource((title, run) => void run().then(() => title), subject)
export const count: number = permitSourceCases(subject).length

export function limited(name: string): number {
  using slots = Semaphore.openOrCreate(name, { initial: 2 })
  using permit = slots.tryAcquire()
  return permit === null ? ftok('/', 1) : slots.value
}

export const codeOf = (error: unknown): string | undefined => (error instanceof IpcError ? error.code : undefined)
`

for (const [module, moduleResolution] of [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const) {
  test(`the declarations suit a strict project with lib es2022 (${moduleResolution})`, t => {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'es2022', lib: ['es2022'], types: [], noEmit: true },
      ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false },
    }
    const folder = project(t, {
      'package.json': '{ "type": "module" }',
      'tsconfig.json': JSON.stringify({ compilerOptions }),
      'program.ts': program,
    })
    run(t, folder, process.execPath, join(root, 'node_modules/typescript/bin/tsc'))
  })
}

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

for (const entry of ['os-ipc', 'os-ipc/redis', 'os-ipc/postgres', 'os-ipc/testing']) {
  // There code has no file, and a global `__filename` that is none.
  test(`${entry} can be loaded by node -e, both ways`, t => {
    const folder = project(t, {})
    const required = run(t, folder, process.execPath, '-p', `Object.keys(require('${entry}')).sort().join()`)
    const print = `import * as all from '${entry}'; console.log(Object.keys(all).sort().join())`
    t.is(run(t, folder, process.execPath, '--input-type=module', '-e', print), required)
  })
}

test('the package holds what runs and what describes it, nothing else', t => {
  const [packed] = JSON.parse(run(t, root, 'npm', 'pack', '--dry-run', '--ignore-scripts', '--json'))
  const paths = (packed.files as { path: string }[]).map(({ path }) => path)
  for (const path of ['LICENSE', 'index.d.ts', 'index.js', 'native.cjs', 'package.json'])
    t.true(paths.includes(path), path)
  const unexpected = paths.filter(
    path =>
      !/^(lib\/(redis\/|postgres\/|testing\/)?[\w-]+\.js|cli\/([\w-]+\/)?[\w-]+\.js|(index|redis|postgres|testing)\.(js|d\.ts)|native\.cjs|package\.json|LICENSE|\w+\.md)$/.test(
        path,
      ),
  )
  t.deepEqual(unexpected, [])
})
