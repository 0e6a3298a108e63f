// Every example does what its first line says, started by one command.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import pg from 'pg'

import { Channel, type PermitSource } from '../../index.js'
import { AdvisoryLocks } from './helpers/advisory-locks.ts'
import { type ChildOptions, type Exit, program } from '../shared/child.ts'
import { exists, keyOf, removeNamed } from '../shared/names.ts'
import { postgresServer, PostgresServer } from '../shared/postgres.ts'
import { npmTool } from '../shared/npm-tools.ts'
import { numpyPython } from '../shared/numpy.ts'
import { go } from '../shared/peers.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { permitSourceCases, type PermitSourceSubject } from '../../testing.js'

const EXAMPLES = fileURLToPath(new URL('../../examples/', import.meta.url))

interface Options extends ChildOptions {
  /** The command line, if it is not `node FILE`. */
  command?: readonly string[]
}

/** The examples use fixed, readable names, so only one run at a time can use them. */
async function example(
  t: ExecutionContext,
  file: string,
  names: readonly string[],
  { command = [process.execPath, `${EXAMPLES}${file}`], ...options }: Options = {},
): Promise<Exit> {
  for (const name of names) t.teardown(() => removeNamed(name))
  return program(t, command, { limit: 60_000, ...options }).exit
}

/** The example exited with 0 and wrote nothing to standard error. */
function well(t: ExecutionContext, { code, stdout, stderr }: Exit): string[] {
  t.is(code, 0, stdout + stderr)
  t.is(stderr, '')
  return stdout.trimEnd().split('\n')
}

test('every example has a test, and recipes.md lists it', t => {
  const examples = readdirSync(EXAMPLES).sort()
  t.deepEqual(examples, [
    'cluster-limit.mjs',
    'demo',
    'frames-go',
    'frames-numpy',
    'jest',
    'memory-python.mjs',
    'next',
    'numpy',
    'pm2',
    'postgres-permits.mjs',
    'recipes',
    'signal.mjs',
    'single-flight.mjs',
    'test-fixture',
    'thumbnails',
    'worker-pool.mjs',
  ])
  const recipes = readFileSync(new URL('../../docs/recipes.md', import.meta.url), 'utf8')
  for (const example of examples) t.true(recipes.includes(`(../examples/${example})`), example)
})

test('cluster-limit.mjs runs two jobs at a time, over all workers', async t => {
  const [line = '', ...more] = well(t, await example(t, 'cluster-limit.mjs', ['/example-limit']))
  const [, jobs, workers, most] = /^(\d+) conversions, (\d) workers, at most (\d) at a time$/.exec(line) ?? []
  t.deepEqual([jobs, most], ['12', '2'], line)
  t.true(Number(workers) > 1, line)
  t.deepEqual(more, [])
})

test('single-flight.mjs builds once, and all processes read the result', async t => {
  const lines = well(t, await example(t, 'single-flight.mjs', ['/example-report']))
  const [builder] = lines.flatMap(line => /^(\d+) builds$/.exec(line)?.[1] ?? [])
  t.is(lines.filter(line => line.endsWith('builds')).length, 1, lines.join('\n'))
  const read = lines.filter(line => line.endsWith(`reads: 42 pages by ${builder}`))
  t.is(read.length, 6, lines.join('\n'))
  t.is(lines.length, 7)
})

test('single-flight.mjs builds again when its builder was killed', async t => {
  t.teardown(() => removeNamed('/example-report-killed'))
  const home = join(EXAMPLES, '..', '.cache', 'examples')
  mkdirSync(home, { recursive: true })
  const file = join(home, 'single-flight.mjs')
  // The same program with another name, and with a first builder that dies after it made its memory.
  const code = readFileSync(`${EXAMPLES}single-flight.mjs`, 'utf8')
  const killed = code
    .replaceAll('/example-report', '/example-report-killed')
    .replace(
      '  memory.write(bytes, 4)\n',
      match => `  if (first) process.kill(process.pid, 'SIGKILL')\n${match}`,
    )
    .replace('  SharedMemory.unlink(name) //', '  const first = !SharedMemory.unlink(name) //')
  t.not(killed, code)
  writeFileSync(file, killed)
  const lines = well(t, await program(t, [process.execPath, file]).exit)
  t.is(lines.filter(line => line.endsWith('builds')).length, 2, lines.join('\n'))
  t.is(lines.filter(line => line.includes('reads: 42 pages')).length, 5, lines.join('\n'))
})

requires(numpyPython()).serial('numpy/ changes an image in place', async t => {
  const [python = ''] = numpyPython().command
  const lines = well(t, await example(t, 'numpy/main.mjs', ['/example-image'], { args: [python] }))
  const [before, numpy, after] = lines.map(line => Number(line.replace(/^\w+: /, '')))
  t.deepEqual(
    lines.map(line => line.replace(/: .*/, '')),
    ['node', 'numpy', 'node'],
  )
  t.is(numpy, 2 * (before as number) + 640)
  t.is(after, numpy)
})

requires(tool('python3')).serial('numpy/ says how to get numpy', async t => {
  // -S: without site-packages.
  const bare = join(mkdtempSync(join(tmpdir(), 'os-ipc-')), 'python')
  t.teardown(() => rmSync(dirname(bare), { recursive: true }))
  writeFileSync(bare, '#!/bin/sh\nexec python3 -S "$@"\n', { mode: 0o755 })
  const { code, stderr } = await example(t, 'numpy/main.mjs', ['/example-image'], { args: [bare] })
  t.is(code, 1)
  t.regex(stderr, /^no numpy: pip install -r examples\/numpy\/requirements.txt$/m)
})

requires(linux, go)('frames-go/ passes 200 frames to Go', async t => {
  t.teardown(() => Channel.unlink('/example-frames'))
  const lines = well(t, await example(t, 'frames-go/main.mjs', [], { limit: 90_000 }))
  const sum = 640 * 480 * Array.from({ length: 200 }, (_, frame) => frame % 251).reduce((a, b) => a + b)
  t.deepEqual(lines.sort(), [`go: 200 frames, sum ${sum}`, `node: 200 frames, sum ${sum}`])
})

requires(linux, tool('gofmt', 'golang-go'))('the Go code of frames-go/ is formatted', async t => {
  t.is((await program(t, ['gofmt', '-l', `${EXAMPLES}frames-go/go`]).exit).stdout, '')
})

requires(linux, numpyPython())('frames-numpy/ passes 50 frames to numpy, and their means back', async t => {
  for (const name of ['/example-frames-numpy', '/example-frames-means'])
    t.teardown(() => Channel.unlink(name))
  const [python = ''] = numpyPython().command
  const lines = well(t, await example(t, 'frames-numpy/main.mjs', [], { args: [python] }))
  t.deepEqual(lines.sort(), [`node: 50 means, sum ${(49 * 50) / 2}`, 'numpy: 50 frames'])
})

requires(linux)('worker-pool.mjs loses only what a killed worker had taken', async t => {
  for (const name of ['/example-jobs', '/example-results']) t.teardown(() => Channel.unlink(name))
  t.deepEqual(well(t, await example(t, 'worker-pool.mjs', [])), [
    'killed one of 4 workers',
    'lost at most the job that it had taken',
    '200 of 200 jobs are done',
  ])
})

const pm2 = npmTool('pm2')
requires(pm2)('pm2/ runs two jobs at a time, over all processes', async t => {
  const home = mkdtempSync(join(tmpdir(), 'os-ipc-pm2-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const command = [process.execPath, pm2.path, `${EXAMPLES}pm2/ecosystem.config.cjs`]
  const env = { PM2_HOME: home }
  const { stdout } = await example(t, 'pm2', ['/example-pm2'], { command, env })
  const jobs = [...stdout.matchAll(/worker (\d) has job (\w), (\d) at work/g)]
  t.deepEqual(
    jobs.map(([, worker, job]) => `${worker}${job}`).sort(),
    ['0a', '0b', '0c', '1a', '1b', '1c', '2a', '2b', '2c'],
    stdout,
  )
  t.true(Math.max(...jobs.map(([, , , working]) => Number(working))) <= 2, stdout)
})

test('test-fixture/ lets one test at a time have the database', async t => {
  const home = mkdtempSync(join(tmpdir(), 'os-ipc-'))
  t.teardown(() => rmSync(home, { recursive: true, force: true }))
  const database = join(home, 'database')
  const files = ['orders', 'invoices', 'customers'].map(name => `${EXAMPLES}test-fixture/${name}.test.mjs`)
  const exit = await example(t, 'test-fixture', ['/example-database'], {
    command: [process.execPath, '--test', '--test-concurrency=3', ...files],
    env: { EXAMPLE_DATABASE: database, NODE_TEST_CONTEXT: undefined },
  })
  t.is(exit.code, 0, exit.stdout)
  t.regex(exit.stdout, /pass 9$/m)
  t.is(readFileSync(database, 'utf8').trimEnd().split('\n').length, 9)
})

requires(linux, tool('xargs', 'findutils'))('thumbnails/ lets two jobs run at a time', async t => {
  const command = ['sh', `${EXAMPLES}thumbnails/thumbnails.sh`]
  const lines = well(t, await example(t, 'thumbnails', ['/example-thumbnails'], { command }))
  t.is(lines.pop()?.trim(), '12')
  t.is(lines.length, 24)
  // All jobs write to one pipe, each before it gives its permit back, so that the order of the lines is the order of the events.
  let running = 0
  for (const line of lines) {
    running += line.startsWith('begins') ? 1 : -1
    t.true(running <= 2, lines.join('\n'))
  }
  t.false(exists('sem', keyOf('/example-thumbnails')))
})

test('signal.mjs waits for the other process', async t => {
  t.deepEqual(well(t, await example(t, 'signal.mjs', ['/example-ready'])), [
    'server: ready',
    'client: the server is ready',
  ])
})

requires(tool('python3'))('memory-python.mjs shares numbers with Python', async t => {
  t.deepEqual(well(t, await example(t, 'memory-python.mjs', ['/example-numbers'])), ['2 5 -6 2000000'])
})

const { PostgresPermits } = (await import(`${EXAMPLES}postgres-permits.mjs`)) as {
  PostgresPermits: new (pool: unknown, name: string, permits: number) => PermitSource
}
const database = new AdvisoryLocks()
let made = 0
const subject: PermitSourceSubject = {
  create: permits => new PostgresPermits(database.pool(), `/permits-${made++}`, permits),
  open: (name, permits) => new PostgresPermits(database.pool(), name, permits),
  lose: (_, { name }) => database.endConnectionsThatLock(name ?? ''),
}
for (const { title, run } of permitSourceCases(subject)) {
  test(`postgres-permits.mjs: ${title}`, async t => {
    await t.notThrowsAsync(run)
  })
}

// The same tests on a real server.
const server = PostgresServer.forAll(test)
const pools: pg.Pool[] = []
test.after.always(() => {
  // A pool waits for the connections that it lent, and some permits are never released on purpose.
  for (const pool of pools) void pool.end()
})

/** A pool for one source, with enough connections for its permits. */
function pool(): pg.Pool {
  const made = new pg.Pool({ connectionString: server.url, max: 8, idleTimeoutMillis: 100 })
  made.on('error', () => {})
  pools.push(made)
  return made
}
const realSubject: PermitSourceSubject = {
  create: permits => new PostgresPermits(pool(), `/real-${made++}`, permits),
  open: (name, permits) => new PostgresPermits(pool(), name, permits),
  lose: async (_, { name }) => {
    await server.sql(
      `select pg_terminate_backend(pid) from pg_locks
       where locktype = 'advisory' and objsubid = 2 and classid = (hashtext($1)::bigint & 4294967295)::oid`,
      [name],
    )
  },
}
for (const { title, run } of permitSourceCases(realSubject)) {
  requires(postgresServer).serial(`postgres-permits.mjs on a real server: ${title}`, async t => {
    await t.notThrowsAsync(run)
  })
}
