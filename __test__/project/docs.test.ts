// The documentation is true: its programs run, its links have targets, its lists are complete.

import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { Channel, Limit, Semaphore, SharedMemory } from '../../index.js'
import { type Child, program } from '../shared/child.ts'
import { keyOf, uniqueName } from '../shared/names.ts'
import { python } from '../shared/peers.ts'
import { linux, type Need, requires, tool } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PAGES = [
  ...readdirSync(ROOT).filter(file => file.endsWith('.md')),
  ...readdirSync(join(ROOT, 'docs'))
    .filter(file => file.endsWith('.md'))
    .map(file => `docs/${file}`),
  'crates/os-ipc/README.md',
  '__test__/peers/README.md',
]

function page(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

interface Block {
  language: string
  code: string
}

function blocks(markdown: string): Block[] {
  return [...markdown.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(([, language = '', code = '']) => ({
    language,
    code,
  }))
}

/** The block of a page whose first line is a comment with this file name. */
function block(path: string, file: string): string {
  const found = blocks(page(path)).find(({ code }) => code.split('\n')[0]?.replace(/^(\/\/|#) /, '') === file)
  if (found === undefined) throw new Error(`${path} has no block ${file}`)
  return found.code
}

/** A folder of its own inside the repository, where `import 'os-ipc'` finds the package. */
function folder(t: ExecutionContext): string {
  const path = join(ROOT, '.cache', 'docs', basename(uniqueName(t)))
  mkdirSync(path, { recursive: true })
  t.teardown(() => rmSync(path, { recursive: true }))
  return path
}

/** A program of a page in a separate file, with a unique object name instead of the one in the text. */
function written(t: ExecutionContext, path: string, file: string, name: string, unique: string): string {
  const code = block(path, file)
  const renamed = code.replaceAll(new RegExp(`(["'/])${name}(["'])`, 'g'), `$1${unique.slice(1)}$2`)
  t.not(renamed, code)
  const target = join(folder(t), file)
  writeFileSync(target, renamed)
  return target
}

// --- interop.md

interface Language {
  need: Need
  start(t: ExecutionContext, file: string): Promise<Child>
}

const pythonCommand = (): string => {
  const prepared = JSON.parse(page('.cache/peers/peers.json')) as { python: { command: [string] } }
  return prepared.python.command[0]
}

const LANGUAGES: Record<string, Language> = {
  '.c': {
    need: tool('cc', 'gcc'),
    async start(t, file) {
      const binary = file.replace(/\.c$/, '')
      const compiled = await program(t, ['cc', '-Wall', '-Wextra', '-Werror', '-pthread', '-o', binary, file])
        .exit
      t.is(compiled.code, 0, compiled.stderr)
      return program(t, [binary])
    },
  },
  '.go': {
    need: tool('go', 'golang-go'),
    async start(t, file) {
      const binary = file.replace(/\.go$/, '')
      const compiled = await program(t, ['go', 'build', '-o', binary, file], { limit: 60_000 }).exit
      t.is(compiled.code, 0, compiled.stderr)
      t.is((await program(t, ['gofmt', '-l', file]).exit).stdout, '')
      return program(t, [binary])
    },
  },
  '.py': { need: python, start: async (t, file) => program(t, [pythonCommand(), file]) },
}

function languageOf(file: string): Language {
  const language = LANGUAGES[file.slice(file.lastIndexOf('.'))]
  if (language === undefined) throw new Error(`nothing runs ${file}`)
  return language
}

for (const [file, backend] of [
  ['wait-sysv.c', 'sysv'],
  ['wait-posix.c', 'posix'],
  ['wait-sysv.go', 'sysv'],
  ['wait_sysv.py', 'sysv'],
  ['wait_posix.py', 'posix'],
] as const) {
  requires(linux, languageOf(file).need)(
    `${file} of interop.md waits for a post of this process`,
    async t => {
      const name = uniqueName(t)
      const ready = Semaphore.create(name, { initial: 0, backend })
      const peer = await languageOf(file).start(t, written(t, 'docs/interop.md', file, 'ready', name))
      await until('it waits', () => ready.info().waiters === 1)
      ready.post()
      t.like(await peer.exit, { code: 0, stdout: 'taken\n', stderr: '' })
      t.is(ready.value, 0)
      ready.unlink()
    },
  )
}

for (const end of ['line', 'kill'] as const) {
  requires(linux, languageOf('permit.c').need)(
    `permit.c of interop.md holds a permit by its pid, until its ${end}`,
    async t => {
      const name = uniqueName(t)
      using limit = Limit.create(name, { permits: 2 })
      using own = limit.tryAcquire()
      t.false(own?.released)
      const peer = await languageOf('permit.c').start(
        t,
        written(t, 'docs/interop.md', 'permit.c', 'jobs', name),
      )
      t.is(await peer.next(), 'held')
      t.like(limit.info(), { free: 0, unnamed: 0 })
      t.deepEqual(
        new Set(limit.info().holders),
        new Set([
          { pid: process.pid, permits: 1 },
          { pid: peer.pid, permits: 1 },
        ]),
      )
      if (end === 'kill') peer.kill('SIGKILL')
      else peer.send('enough')
      const { code, signal } = await peer.exit
      t.deepEqual([code, signal], end === 'kill' ? [null, 'SIGKILL'] : [0, null])
      t.like(limit.info(), { free: 1, unnamed: 0, holders: [{ pid: process.pid, permits: 1 }] })
      limit.unlink()
    },
  )
}

for (const file of ['frames.c', 'frames.go', 'frames.py']) {
  requires(linux, languageOf(file).need)(
    `${file} of interop.md increments a number in the memory of this process`,
    async t => {
      const name = uniqueName(t)
      const memory = SharedMemory.create(name, { size: 4096 })
      const frames = new Int32Array(memory.buffer, 0, 1)
      frames[0] = 41
      const peer = await languageOf(file).start(t, written(t, 'docs/interop.md', file, 'frames', name))
      t.like(await peer.exit, { code: 0, stdout: '42\n', stderr: '' })
      t.is(frames[0], 42)
      // The memory still exists under its name.
      SharedMemory.open(name).close()
      memory.unlink()
    },
  )
}

test('every program of interop.md is run by a test', t => {
  const files = blocks(page('docs/interop.md'))
    .filter(({ language }) => ['c', 'go', 'python'].includes(language))
    .map(({ code }) => code.split('\n')[0]?.replace(/^(\/\/|#) /, ''))
  t.deepEqual(files.sort(), [
    'frames.c',
    'frames.go',
    'frames.py',
    'permit.c',
    'wait-posix.c',
    'wait-sysv.c',
    'wait-sysv.go',
    'wait_posix.py',
    'wait_sysv.py',
  ])
})

// --- README.md

test('the README has fewer than 200 lines', t => {
  t.true(page('README.md').split('\n').length < 200)
})

test('the README has the ratios of benchmark.json', t => {
  const { scenes } = JSON.parse(page('docs/benchmark.json')) as {
    scenes: { scene: string; results: Record<string, { median: number }> }[]
  }
  const median = (scene: string, contender: string): number =>
    scenes.find(({ scene: name }) => name === scene)?.results[contender]?.median ?? Number.NaN
  const cell = (row: string): string =>
    new RegExp(`^\\| ${row}.*\\| (.*) \\|$`, 'm').exec(page('README.md'))?.[1] ?? ''
  const near = (row: string, words: RegExp, ratio: number): void => {
    const said = Number(words.exec(cell(row))?.[1])
    t.true(Math.abs(said / ratio - 1) < 0.03, `${row}: ${cell(row)}, and the benchmark has ${ratio}`)
  }
  near('p-limit', /^([\d.]+) times/, median('await-there', 'os-ipc') / median('await-there', 'async-mutex'))
  const permit = median('sysv-permit', 'os-ipc')
  near('proper-lockfile', /^1\/([\d.]+),/, median('sysv-permit', 'proper-lockfile') / permit)
  near('redis-semaphore', /^1\/([\d.]+),/, median('redis', 'redis-semaphore') / permit)
  const sent = '`process.send`'
  near(
    sent,
    /^1\/([\d.]+) for a signal/,
    median('hand-over', 'process.send') / median('hand-over', 'os-ipc, pool'),
  )
  const message = median('message', 'process.send, Buffer, advanced') / median('message', 'os-ipc')
  near(sent, /, 1\/([\d.]+) for/, message)
})

test('limit.mjs of the README ends by itself and leaves its permits', async t => {
  const name = uniqueName(t)
  const file = written(t, 'README.md', 'limit.mjs', 'convert', name)
  const runs = [program(t, [process.execPath, file]), program(t, [process.execPath, file])]
  for (const { exit } of runs) {
    const { code, stdout, stderr } = await exit
    t.is(code, 0, stderr)
    t.deepEqual(
      stdout.match(/\w\.mov/g),
      ['a', 'b', 'c', 'd', 'e', 'f'].map(letter => `${letter}.mov`),
    )
  }
  const limit = Limit.open(name)
  t.like(limit.info(), { permits: 4, free: 4 })
  limit.unlink()
})

test('permit.mjs of the README shows its holder, and resizes the limit', async t => {
  const name = uniqueName(t)
  const run = program(t, [process.execPath, written(t, 'README.md', 'permit.mjs', 'uploads', name)])
  t.like(await run.exit, { code: 0, stdout: `[ { pid: ${run.pid}, permits: 1 } ]\n`, stderr: '' })
  const limit = Limit.open(name)
  t.like(limit.info(), { permits: 8, free: 8 })
  limit.unlink()
})

test('receiver.mjs of the README prints what sender.mjs sent, and removes the channel', async t => {
  const name = uniqueName(t)
  const receiver = program(t, [process.execPath, written(t, 'README.md', 'receiver.mjs', 'messages', name)])
  const sender = program(t, [process.execPath, written(t, 'README.md', 'sender.mjs', 'messages', name)])
  t.like(await sender.exit, { code: 0, stdout: '', stderr: '' })
  t.like(await receiver.exit, { code: 0, stdout: '{ id: 0 }\n{ id: 1 }\n{ id: 2 }\n', stderr: '' })
  t.false(Channel.unlink(name))
})

test('client.mjs of the README waits for server.mjs', async t => {
  const name = uniqueName(t)
  const client = program(t, [process.execPath, written(t, 'README.md', 'client.mjs', 'ready', name)])
  const server = program(t, [process.execPath, written(t, 'README.md', 'server.mjs', 'ready', name)])
  t.like(await server.exit, { code: 0, stderr: '' })
  t.like(await client.exit, { code: 0, stdout: 'the server is ready\n', stderr: '' })
})

for (const [path, file, name, line] of [
  ['README.md', 'lock.mjs', 'report', /^\d+ is alone\n$/],
  ['docs/locks.md', 'nightly.mjs', 'nightly', /^cleaning up\n$/],
] as const) {
  test(`${file} of ${path} has its lock and ends by itself`, async t => {
    const lock = program(t, [process.execPath, written(t, path, file, name, uniqueName(t))])
    const { code, stdout, stderr } = await lock.exit
    t.like({ code, stderr }, { code: 0, stderr: '' })
    t.regex(stdout, line)
  })
}

requires(tool('python3'))('numbers.py of the README reads what numbers.mjs writes', async t => {
  const name = uniqueName(t)
  const writer = program(t, [process.execPath, written(t, 'README.md', 'numbers.mjs', 'numbers', name)])
  t.like(await writer.exit, { code: 0, stderr: '' })
  const reader = program(t, ['python3', written(t, 'README.md', 'numbers.py', 'numbers', name)])
  t.like(await reader.exit, { code: 0, stdout: '(1.0, 2.5, -3.0, 1000000.0)\n' })
})

// --- diagnostics.md

test('slow.mts of diagnostics.md, imported first, reports long waits, also those of workers', async t => {
  const name = uniqueName(t)
  const home = folder(t)
  const slow = join(home, 'slow.mts')
  const code = block('docs/diagnostics.md', 'slow.mts').replace('waited > 1_000', 'waited > 10')
  writeFileSync(slow, code)
  const main = join(home, 'main.mjs')
  writeFileSync(
    main,
    `import { isMainThread, Worker } from 'node:worker_threads'
     import { Semaphore } from 'os-ipc'
     const semaphore = Semaphore.openOrCreate('${name}', { initial: 0 })
     setTimeout(() => semaphore.post(), 500)
     await semaphore.wait()
     if (isMainThread) new Worker(new URL(import.meta.url))`,
  )
  const { code: exit, stderr } = await program(t, [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    '--import',
    slow,
    main,
  ]).exit
  t.is(exit, 0, stderr)
  const lines = stderr.trimEnd().split('\n')
  t.is(lines.length, 2, stderr)
  for (const line of lines) t.regex(line, new RegExp(`^waited \\d+ ms for ${name}$`))
})

test('metrics.mts of diagnostics.md records what happens to a semaphore', async t => {
  const name = uniqueName(t)
  const file = join(folder(t), 'metrics.mts')
  writeFileSync(file, block('docs/diagnostics.md', 'metrics.mts'))
  const { observeSemaphores } = await import(file)
  const records: Record<string, { value: number; [attribute: string]: unknown }[]> = {}
  const instrument = (metric: string, { unit }: { unit: string }) => {
    const add = (value: number, attributes: Record<string, unknown>) => {
      if (attributes['os_ipc.semaphore.name'] !== name) return
      const { 'error.type': error } = attributes
      records[metric] ??= []
      records[metric].push({ value, unit, ...(error === undefined ? {} : { error }) })
    }
    return { add, record: add }
  }
  observeSemaphores({
    createHistogram: instrument,
    createUpDownCounter: instrument,
    createCounter: instrument,
  })

  const limit = Limit.create(name, { permits: 1 })
  t.teardown(() => limit.close())
  const job = (options = {}): Promise<void> => limit.use(() => sleep(50), options)
  const [first, second, third] = await Promise.allSettled([job(), job(), job({ timeout: 10 })])
  t.deepEqual([first?.status, second?.status, third?.status], ['fulfilled', 'fulfilled', 'rejected'])

  const { wait_time, use_time, pending, failures } = Object.fromEntries(
    Object.entries(records).map(([metric, values]) => [metric.replace('os_ipc.semaphore.', ''), values]),
  )
  t.is(wait_time?.length, 2)
  t.like(wait_time?.[0], { value: 0, unit: 's' })
  const waited = wait_time?.[1]?.value ?? 0
  t.true(waited > 0.04 && waited < 15, String(waited))
  t.is(use_time?.length, 2)
  for (const { value } of use_time ?? []) t.true(value > 0.04 && value < 15, String(value))
  t.deepEqual(
    pending?.map(({ value }) => value),
    [1, 1, -1, -1],
  )
  t.deepEqual(failures, [{ value: 1, unit: '{wait}', error: 'ETIMEDOUT' }])
})

// --- all pages

for (const path of PAGES) {
  test(`the links of ${path} have targets`, t => {
    const dead: string[] = []
    for (const [, target = ''] of page(path).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https:/.test(target)) continue
      const [file = '', anchor] = target.split('#')
      const linked = file === '' ? path : join(dirname(path), file)
      const there = existsSync(join(ROOT, linked)) && (!anchor || anchors(page(linked)).has(anchor))
      if (!there) dead.push(target)
    }
    t.deepEqual(dead, [])
  })
}

/** The anchors of a page's headings, as GitHub makes them. */
function anchors(markdown: string): Set<string> {
  const found = new Set<string>()
  const counts = new Map<string, number>()
  for (const [, heading = ''] of markdown.replace(/^```.*?^```$/gms, '').matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
      .replaceAll(' ', '-')
    const before = counts.get(slug) ?? 0
    counts.set(slug, before + 1)
    found.add(before === 0 ? slug : `${slug}-${before}`)
  }
  return found
}

test('llms.txt links every page of docs/ by its address, and each address has a file', t => {
  const home = 'https://github.com/os-ipc/os-ipc/blob/main/'
  const linked = [...page('llms.txt').matchAll(/\]\((\S+)\)/g)].map(([, url = '']) => url.replace(home, ''))
  t.deepEqual(
    linked.filter(file => !existsSync(join(ROOT, file))),
    [],
  )
  t.deepEqual(
    PAGES.filter(path => path.startsWith('docs/') && !linked.includes(path)),
    [],
  )
})

/** The heading of api.md for each word that a page uses for an object. */
const OBJECTS: Record<string, string> = {
  Limit: 'Limit',
  limit: 'limit',
  permit: 'permit',
  Semaphore: 'Semaphore',
  semaphore: 'semaphore',
  SharedMemory: 'SharedMemory',
  memory: 'sharedMemory',
  locks: 'lockManager',
  Channel: 'Channel',
  channel: 'channel',
}

for (const path of PAGES.filter(path => !/api|cli|CHANGELOG/.test(path))) {
  test(`every method that ${path} names exists`, t => {
    const headings = page('docs/api.md')
    // The first column of a table of moving.md has the words of another package.
    const all = path === 'docs/moving.md' ? page(path).replaceAll(/^\| .*? \| /gm, '') : page(path)
    const text = all
      .replaceAll(/^```(c|go|python)\n.*?^```$/gms, '')
      // The only method that pages name because it throws.
      .replaceAll('`semaphore.acquire()` throws', '')
    const unknown = [...text.matchAll(/(?<![\w./])(\w+)\.(\w+)\b(?!\.)/g)]
      .filter(([, object = '', word = '']) => object in OBJECTS && !/^(rs|md|h|py|[cm]?[jt]s)$/.test(word))
      .filter(
        ([, object = '', word = '']) =>
          !new RegExp(`^### ${OBJECTS[object]}\\.${word}\\b`, 'm').test(headings),
      )
    t.deepEqual(
      unknown.map(([use]) => use),
      [],
    )
  })
}

// --- errors.md

function sources(folder: string, extension: string): string[] {
  const entries = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  return entries.filter(file => file.endsWith(extension)).map(file => page(join(folder, file)))
}

test('errors.md has every code that the sources create', t => {
  const documented = page('docs/errors.md')
  const rust = [...sources('crates/os-ipc/src', '.rs'), ...sources('crates/os-ipc-node/src', '.rs')]
  const typescript = sources('lib', '.ts')
  const codes = new Set([
    ...[...rust, ...typescript].flatMap(source => source.match(/\b(?:ERR_[A-Z_]+|OS_IPC_[A-Z_]+)\b/g) ?? []),
    ...rust.flatMap(source => [...source.matchAll(/OsCode::(E[A-Z0-9]+)/g)].map(([, errno = '']) => errno)),
  ])
  codes.delete('ERR_') // "`ERR_...`" in a comment
  for (const variable of ['OS_IPC_SPIN', 'OS_IPC_TRACE']) codes.delete(variable) // of the environment
  t.true(codes.size > 30, [...codes].join())
  t.deepEqual(
    [...codes].filter(code => !documented.includes(`\`${code}\``)),
    [],
  )
})

test('every code of errors.md has a cause and a cure', t => {
  const rows = page('docs/errors.md').match(/^\| `.*$/gm) ?? []
  t.true(rows.length > 50, String(rows.length))
  for (const row of rows) {
    const cells = row.split(' | ').map(cell => cell.replaceAll(/^\||\|$/g, '').trim())
    t.is(cells.length, 3, row)
    for (const cell of cells) t.not(cell, '', row)
  }
})

test('errors.md has no code of this package that the sources do not create', t => {
  const all = [
    ...sources('crates/os-ipc/src', '.rs'),
    ...sources('crates/os-ipc-node/src', '.rs'),
    ...sources('lib', '.ts'),
  ].join('\n')
  const named = page('docs/errors.md').match(/\b(?:ERR|OS_IPC)_[A-Z_]+\b/g) ?? []
  t.deepEqual(
    named.filter(code => !all.includes(code)),
    [],
  )
})

// --- the kernel's keys in interop.md

test('interop.md has the keys and the mark of the sources', t => {
  const rows = [...page('docs/interop.md').matchAll(/^\| `(\/\S+)` \| (\d+) \| `(0x[0-9a-f]{8})` \|$/gm)]
  t.is(rows.length, 3)
  for (const [, name = '', decimal, hex] of rows) {
    t.is(keyOf(name) >>> 0, Number(decimal), name)
    t.is(keyOf(name) >>> 0, Number(hex), name)
  }
  const record = page('crates/os-ipc/src/record.rs')
  const [, mark = ''] = /const MARK: u16 = (0x\w+);/.exec(record) ?? []
  t.true(page('docs/interop.md').includes(`the mark \`${mark}\``))
  const [, lockMark = ''] = /const LOCK_MARK: u16 = (0x\w+);/.exec(record) ?? []
  t.true(page('docs/interop.md').includes(`the lock's mark \`${lockMark}\``))
})
