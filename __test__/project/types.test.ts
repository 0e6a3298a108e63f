// Every example in a comment of the API, and every piece of JavaScript and TypeScript in the documentation, compiles.

import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test from 'ava'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGES = [
  'index.d.cts',
  'redis.d.cts',
  'postgres.d.cts',
  'testing.d.cts',
  'README.md',
  // api.md has the comments of these declarations.
  ...readdirSync(join(ROOT, 'docs'))
    .filter(file => file.endsWith('.md') && file !== 'api.md')
    .map(file => `docs/${file}`),
]

/** The names that an example may use without a declaration. */
const GIVEN = `
import { Redis } from 'ioredis'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { capabilities, Channel, ftok, IpcError, Limit, list, locks, Permit, type PermitSource, Semaphore, settings, SharedMemory } from 'os-ipc'
import { PostgresLocks } from 'os-ipc/postgres'
import { RedisLimit } from 'os-ipc/redis'
import { permitSourceCases, type PermitSourceSubject } from 'os-ipc/testing'
declare const semaphore: Semaphore, ready: Semaphore, jobs: Limit, limit: Limit, uploads: Limit, memory: SharedMemory
declare const tasks: Channel, frames: Channel<Buffer>
declare const file: string, url: string, parts: string[], subject: PermitSourceSubject
declare function convert(file: string): Promise<void>
declare function reopen(): void
`

/** The part of OpenTelemetry that diagnostics.md uses; its real types were tried by hand. */
const OPENTELEMETRY = `
declare module '@opentelemetry/api' {
  interface Instrument {
    add(value: number, attributes: object): void
    record(value: number, attributes: object): void
    addCallback(callback: (result: { observe(value: number, attributes: object): void }) => void): void
  }
  type Create = (name: string, options: object) => Instrument
  export interface Meter {
    createHistogram: Create
    createCounter: Create
    createUpDownCounter: Create
    createObservableGauge: Create
  }
  export const metrics: { getMeter(name: string): Meter; setGlobalMeterProvider(provider: object): void }
}
declare module '@opentelemetry/sdk-metrics' {
  export class ConsoleMetricExporter {}
  export class PeriodicExportingMetricReader { constructor(options: object) }
  export class MeterProvider { constructor(options: object); shutdown(): Promise<void> }
}
`

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  // The lib of a user, which does not have `Disposable`.
  lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  types: ['node'],
  strict: true,
  allowJs: true,
  checkJs: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
}

test('every example compiles', t => {
  const files = new Map([[join(ROOT, 'opentelemetry.d.ts'), OPENTELEMETRY]])
  for (const path of PAGES) {
    for (const [index, { language, code }] of examples(markdownOf(path)).entries()) {
      // A whole program may be JavaScript with types in its comments; a fragment may use the given names.
      const whole = /^(import|export) /m.test(code)
      const [, file = `${index}.${whole && language === 'js' ? 'mjs' : 'mts'}`] =
        /^\/\/ (\S+\.mts)\n/.exec(code) ?? []
      // The package can be imported by its own name.
      const name = join(ROOT, `example-${path.replaceAll(/\W/g, '-')}`, file)
      files.set(name, whole ? code : `${GIVEN}async function example() {\n${code}}\n`)
    }
  }
  t.true(files.size > 30, `${files.size} examples`)
  t.deepEqual(problems(files), [])
})

test('a wrong example is found', t => {
  const name = join(ROOT, 'example-wrong.mts')
  t.regex(
    problems(new Map([[name, `${GIVEN}semaphore.post('2')\n`]])).join('\n'),
    /example-wrong\.mts:.*'string'/,
  )
})

test('a semaphore has none of the methods of a limit, and a limit none of a semaphore', t => {
  const words = {
    semaphore: ['post()', 'wait()', 'tryWait()', 'waitSync()', 'value'],
    limit: ['acquire()', 'tryAcquire()', 'acquireSync()', 'use(() => 1)', 'resize(2)', 'permits'],
  }
  const uses = (which: 'own' | 'foreign') =>
    Object.entries(words).flatMap(([object, all]) => {
      const other = object === 'limit' ? 'semaphore' : 'limit'
      return all.map(word => `${which === 'own' ? object : other}.${word}`)
    })
  const file = (index: number) => join(ROOT, `example-word-${index}.mts`)
  const files = (all: string[]) =>
    new Map(all.map((use, index) => [file(index), `${GIVEN}void ${use}\n`] as const))
  t.deepEqual(problems(files(uses('own'))), [])
  const foreign = uses('foreign')
  const found = problems(files(foreign))
  t.is(found.length, foreign.length, found.join('\n'))
  for (const [index, use] of foreign.entries()) {
    const [, property] = /\.(\w+)/.exec(use) ?? []
    const problem = found.find(text => text.startsWith(`${file(index)}:`)) ?? ''
    t.regex(problem, new RegExp(`Property '${property}' does not exist on type`), use)
  }
})

const LOCKS = `
import { type Lock, type LockManager, type LockOptions, locks } from 'os-ipc'
const options: LockOptions = { mode: 'shared', signal: new AbortController().signal }
const length: Promise<number> = locks.request('a', options, async (lock: Lock | null) => lock?.name.length ?? 0)
const mode: Promise<'exclusive' | 'shared' | undefined> = locks.request('a', lock => lock?.mode)
const pids: Promise<(number | undefined)[]> = locks.query().then(({ held }) => held.map(({ pid }) => pid))
const manager: LockManager = { request: locks.request, query: locks.query }
const aborted: Promise<boolean | undefined> = locks.request('a', lock => lock?.signal.aborted)
`

/** The types of `node:worker_threads` in @types/node since version 24; compilers.test.ts has the real ones. */
const NODE = `
interface NodeLock { readonly mode: 'exclusive' | 'shared'; readonly name: string }
interface NodeLockOptions { ifAvailable?: boolean; mode?: 'exclusive' | 'shared'; signal?: AbortSignal; steal?: boolean }
interface NodeLockInfo { clientId: string; mode: 'exclusive' | 'shared'; name: string }
interface NodeLockManager {
  query(): Promise<{ held: NodeLockInfo[]; pending: NodeLockInfo[] }>
  request<T>(name: string, callback: (lock: NodeLock | null) => T): Promise<Awaited<T>>
  request<T>(name: string, options: NodeLockOptions, callback: (lock: NodeLock | null) => T): Promise<Awaited<T>>
}
declare const ofNode: NodeLockManager
`

const POSTGRES = `
import { type LockManager, locks } from 'os-ipc'
import { PostgresLocks, type PostgresLock } from 'os-ipc/postgres'
import pg from 'pg'
const sources = [
  PostgresLocks.connect('postgres://localhost/app', { maxConnections: 4, deadAfter: 30_000, pooler: 'session' }),
  PostgresLocks.connect(new pg.Pool()),
  PostgresLocks.connect(() => new pg.Client()),
  PostgresLocks.connect(async () => new pg.Client({ host: 'localhost' })),
]
for (const shared of sources) {
  const manager: LockManager = shared
  const asNode: NodeLockManager = shared
  const fence: Promise<number | undefined> = shared.request('a', { timeout: 5 }, (lock: PostgresLock | null) => lock?.fence)
  const ends: Promise<void>[] = [shared.close(), shared[Symbol.asyncDispose]()]
}
const either: LockManager = Math.random() > 0.5 ? locks : PostgresLocks.connect('')
either.request('a', lock => fetch('', { signal: lock?.signal ?? null }))
const hostAsNode: NodeLockManager = locks
const nodeAsOurs: LockManager = ofNode
`

test('the types of local and PostgreSQL locks agree, and fit those of Node', t => {
  t.deepEqual(problems(new Map([[join(ROOT, 'example-postgres.mts'), NODE + POSTGRES]])), [])
})

test('the types of locks need no lib.dom', t => {
  t.deepEqual(problems(new Map([[join(ROOT, 'example-locks.mts'), LOCKS]])), [])
})

for (const skipLibCheck of [true, false]) {
  test(`with lib.dom the types of locks are those of the DOM (skipLibCheck: ${skipLibCheck})`, t => {
    const code = `import type { PostgresLocks } from 'os-ipc/postgres'
${LOCKS}
const asDom: globalThis.LockManager = locks
const domOptions: globalThis.LockOptions = options
locks.request('a', domOptions, (lock: globalThis.Lock | null) => lock)
locks.request('a', (lock: globalThis.Lock | null) => lock)
const callback: globalThis.LockGrantedCallback<number> = () => 1
const one: Promise<number> = locks.request('a', callback)
function either(manager: globalThis.LockManager) {
  return manager.request('a', { ifAvailable: true }, lock => lock?.name)
}
either(locks)
declare const shared: PostgresLocks
const sharedAsDom: globalThis.LockManager = shared
either(shared)
`
    const options = { ...OPTIONS, lib: [...(OPTIONS.lib ?? []), 'lib.dom.d.ts'], skipLibCheck }
    const found = problems(new Map([[join(ROOT, 'example-dom-locks.mts'), code]]), options)
    t.deepEqual(found, [])
  })
}

test('a wrong use of locks is found', t => {
  for (const wrong of [
    "locks.request('a', { mode: 'other' }, () => {})",
    "locks.request('a')",
    "locks.request('a', { steal: 1 }, () => {})",
  ]) {
    const code = `import { locks } from 'os-ipc'\n${wrong}\n`
    t.is(problems(new Map([[join(ROOT, 'example-wrong-locks.mts'), code]])).length, 1, wrong)
  }
})

/** The text of a page; of declarations, the comments without the stars. */
function markdownOf(path: string): string {
  const text = readFileSync(join(ROOT, path), 'utf8')
  return path.endsWith('.md') ? text : text.replaceAll(/^ *\* ?/gm, '')
}

function examples(markdown: string): { language: string; code: string }[] {
  return [...markdown.matchAll(/^```(js|ts)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

/** The compiler's messages about files that exist only in memory. */
function problems(files: ReadonlyMap<string, string>, options = OPTIONS): string[] {
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile, directoryExists } = host
  const folders = new Set([...files.keys()].map(dirname))
  host.directoryExists = path => folders.has(path) || (directoryExists?.(path) ?? true)
  host.fileExists = path => files.has(path) || fileExists(path)
  host.readFile = path => files.get(path) ?? readFile(path)
  host.getSourceFile = (path, version, ...rest) => {
    const code = files.get(path)
    return code === undefined
      ? getSourceFile(path, version, ...rest)
      : ts.createSourceFile(path, code, version, true)
  }
  const program = ts.createProgram([...files.keys()], options, host)
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const at = file?.getLineAndCharacterOfPosition(start).line ?? 0
    const line = file?.text.split('\n')[at]
    return `${file?.fileName}:${at + 1}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}: ${line}`
  })
}
