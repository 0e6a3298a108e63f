// The test frameworks and the dev server that users have, run for real on the packed package.
//
// Jest and vitest evaluate the package once for each test file, in one process and over one addon.

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { program } from '../shared/child.ts'
import { removeNamed, uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { npmTool } from '../shared/npm-tools.ts'
import { folder, write } from '../shared/project.ts'
import { requires } from '../shared/requires.ts'
import { installed, packed } from './helpers/installed.ts'

const repository = fileURLToPath(new URL('../..', import.meta.url))
const fixture = (name: string) => fileURLToPath(new URL(`fixtures/frameworks/${name}`, import.meta.url))

const undo: (() => void)[] = []
test.after.always(() => {
  for (const fn of undo) fn()
})
const packages = packed({ teardown: fn => undo.push(fn as () => void) })

/** The number of tests in a file that declares the suite. */
const IN_SUITE = readFileSync(fixture('suite.cjs'), 'utf8').match(/^ {2}test\(/gm)?.length ?? 0
const FILES = ['first', 'second']

/** The folder of a package that comes with a tool. */
const beside = (tool: { path: string }, name: string) =>
  join(tool.path.slice(0, tool.path.lastIndexOf('/node_modules/')), 'node_modules', name)

/** A project with test files, and a name for their objects. */
function project(
  t: ExecutionContext,
  files: Record<string, string>,
  links: Record<string, string> = {},
): { home: string; env: Record<string, string | undefined> } {
  const home = installed(t, packages, links)
  copyFileSync(fixture('suite.cjs'), join(home, 'suite.cjs'))
  for (const [name, text] of Object.entries(files)) write(join(home, name), text)
  const name = uniqueName(t)
  for (const file of [...FILES, 'reset', 'typed', 'limit']) t.teardown(() => removeNamed(`${name}-${file}`))
  return {
    home,
    env: { NAME: name, NODE_OPTIONS: undefined, CI: 'true', NO_COLOR: '1', FORCE_COLOR: undefined },
  }
}

const each = (declare: (file: string) => Record<string, string>) => Object.assign({}, ...FILES.map(declare))

const jest = npmTool('jest')

/** Runs Jest in one process, and asserts that it ended by itself with this number of passed tests. */
async function runJest(
  t: ExecutionContext,
  { home, env }: ReturnType<typeof project>,
  passed: number,
  { config = {}, command = [process.execPath] }: { config?: object; command?: string[] } = {},
): Promise<void> {
  const report = join(home, 'report.json')
  const settings = { rootDir: home, cacheDirectory: join(folder(t), 'cache'), testTimeout: 20_000, ...config }
  const args = ['--runInBand', '--watchman=false', '--json', `--outputFile=${report}`]
  const running = program(t, [...command, jest.path, ...args, '--config', JSON.stringify(settings)], { env })
  const { code, stderr } = await running.exit
  t.is(code, 0, stderr)
  t.notRegex(stderr, /did not exit|open handle|MaxListenersExceeded/)
  const { numPassedTests, numFailedTests, numPassedTestSuites } = JSON.parse(readFileSync(report, 'utf8'))
  t.deepEqual([numPassedTests, numFailedTests], [passed, 0])
  t.true(numPassedTestSuites >= 1)
}

for (const { major, path } of nodes) {
  requires(jest).serial(`plain Jest runs two files in one process on Node ${major}`, async t => {
    const made = project(
      t,
      each(file => ({
        [`${file}.test.js`]: `require('./suite.cjs').declare(test, require('os-ipc'), '${file}')\n`,
      })),
    )
    await runJest(t, made, 2 * IN_SUITE, { command: [path] })
  })
}

requires(jest).serial(
  'Jest evaluates the package again after resetModules, and waits end under fake timers',
  async t => {
    const made = project(t, {})
    copyFileSync(fixture('reset.test.js'), join(made.home, 'reset.test.js'))
    const inFile = readFileSync(fixture('reset.test.js'), 'utf8').match(/^test\(/gm)?.length
    await runJest(t, made, inFile ?? 0)
  },
)

requires(jest).serial(
  'with fake timers in every file of Jest, waits end and timeouts follow the real clock',
  async t => {
    const made = project(t, {
      'faked.test.js': `
const { IpcError, Semaphore } = require('os-ipc')
test('waits', async () => {
  const semaphore = Semaphore.create(process.env.NAME, { initial: 0 })
  await expect(semaphore.wait({ timeout: 20 })).rejects.toThrow(IpcError)
  const wait = semaphore.wait()
  semaphore.post()
  await wait
  semaphore.unlink()
})
`,
    })
    await runJest(t, made, 1, { config: { fakeTimers: { enableGlobally: true } } })
  },
)

requires(jest).serial('Jest replaces the peers of os-ipc/redis by its mocks', async t => {
  const made = project(t, {
    'mocked.test.js': `
jest.mock('ioredis', () => ({ Redis: class {} }), { virtual: true })
jest.mock('redis-semaphore', () => ({ Semaphore: class {} }), { virtual: true })
test('loads', () => expect(typeof require('os-ipc/redis').RedisLimit.connect).toBe('function'))
`,
  })
  await runJest(t, made, 1)
})

requires(jest).serial('ts-jest compiles and runs typed tests', async t => {
  const links = Object.fromEntries(
    ['@types/node', 'undici-types'].map(name => [name, join(repository, 'node_modules', name)]),
  )
  const made = project(
    t,
    {
      'typed.test.ts': `
import { IpcError, Limit, locks, type Permit, Semaphore } from 'os-ipc'
import { permitSourceCases } from 'os-ipc/testing'
declare function test(title: string, run: () => unknown): void
declare function expect(value: unknown): { toBe(value: unknown): void; toBeInstanceOf(value: unknown): void }
const name = process.env['NAME'] + '-typed'
test('permits and locks', async () => {
  const limit = Limit.create(name + '-limit', { permits: 1 })
  const used: string = await limit.use(async (permit: Permit) => String(permit.released), { timeout: 20_000 })
  limit.unlink()
  const jobs = Semaphore.create(name, { initial: 1 })
  expect(used).toBe('false')
  expect(await locks.request(name, async lock => lock?.mode)).toBe('exclusive')
  const error: unknown = await jobs.wait().then(() => jobs.wait({ timeout: 5 })).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(IpcError)
  expect(error instanceof IpcError && error.code).toBe('ETIMEDOUT')
  jobs.unlink()
})
let made = 0
const subject = {
  create: (permits: number) => Limit.create(\`\${name}\${made++}\`, { permits }),
  open: (of: string) => Limit.open(of),
  remove: (of: string) => Limit.unlink(of),
}
for (const { title, run } of permitSourceCases(subject)) test(title, run)
`,
      'tsconfig.json': JSON.stringify({
        compilerOptions: {
          ...{ module: 'node16', target: 'es2022', lib: ['es2022'], types: ['node'] },
          ...{ strict: true, isolatedModules: false },
        },
      }),
    },
    links,
  )
  const { permitSourceCases } = await import('../../testing.js')
  const cases = permitSourceCases({ create: () => t.fail() as never, open: () => t.fail() as never })
  const config = { transform: { '\\.ts$': beside(jest, 'ts-jest/dist/index.js') } }
  await runJest(t, made, 1 + cases.length, { config })
})

const vitest = npmTool('vitest')
for (const pool of ['threads', 'forks', 'vmThreads', 'vmForks']) {
  requires(vitest).serial(`vitest runs two files, one after the other (${pool})`, async t => {
    const config = { test: { include: ['*.spec.mjs'], pool, maxWorkers: 1, testTimeout: 20_000 } }
    const { home, env } = project(
      t,
      {
        'vitest.config.mjs': `export default ${JSON.stringify(config)}\n`,
        ...each(file => ({
          [`${file}.spec.mjs`]: `import { test } from 'vitest'
import * as ipc from 'os-ipc'
import { declare } from './suite.cjs'
declare(test, ipc, '${file}')
`,
        })),
      },
      { vitest: dirname(vitest.path) },
    )
    const running = program(t, [process.execPath, vitest.path, 'run', '--root', home], { env })
    const { code, stdout, stderr } = await running.exit
    t.is(code, 0, stdout + stderr)
    t.regex(stdout, new RegExp(`Tests +${2 * IN_SUITE} passed`))
    t.notRegex(stdout + stderr, /close timed out|hanging|MaxListenersExceeded/)
  })
}

const mocha = npmTool('mocha')
requires(mocha).serial('mocha runs two files in one process, and ends by itself', async t => {
  const { home, env } = project(
    t,
    each(file => ({
      [`${file}.test.mjs`]: `import * as ipc from 'os-ipc'
import { declare } from './suite.cjs'
declare(it, ipc, '${file}')
`,
    })),
  )
  const files = FILES.map(file => join(home, `${file}.test.mjs`))
  const running = program(t, [process.execPath, mocha.path, '--reporter=json', '--timeout=20000', ...files], {
    env,
  })
  const { code, stdout } = await running.exit
  t.is(code, 0, stdout)
  t.like(JSON.parse(stdout).stats, { passes: 2 * IN_SUITE, failures: 0 })
})

test.serial('node:test runs two files in one process', async t => {
  const { home, env } = project(
    t,
    each(file => ({
      [`${file}.mjs`]: `import { test } from 'node:test'
import * as ipc from 'os-ipc'
import { declare } from './suite.cjs'
declare(test, ipc, '${file}')
`,
    })),
  )
  // Node 22 knows the option by its first name only; later versions know both.
  const args = ['--test', '--experimental-test-isolation=none', '--test-reporter=tap']
  const running = program(t, [process.execPath, ...args, ...FILES.map(file => join(home, `${file}.mjs`))], {
    env,
  })
  const { code, stdout } = await running.exit
  t.is(code, 0, stdout)
  t.regex(stdout, new RegExp(`# pass ${2 * IN_SUITE}\n`))
})

/** A route that waits; an edit makes a second version, which finds the objects of the first. */
const ROUTE = `
import { IpcError, Limit, locks, Semaphore } from 'os-ipc'
export const dynamic = 'force-dynamic'
const version = 1
export async function GET() {
  const name = process.env.NAME
  const semaphore = Semaphore.openOrCreate(name, { initial: 0 })
  // The objects of the version before.
  const left = globalThis.left ?? []
  const limit = Limit.openOrCreate(name + '-limit', { permits: 1 })
  const held = limit.tryAcquire()
  const waits = [semaphore.wait({ timeout: 20_000 }), limit.acquire({ timeout: 20_000 })]
  semaphore.post(1 + left.length)
  held.release()
  const [, permit] = await Promise.all(waits)
  permit.release()
  const before = (await Promise.all(left)).length
  const mode = await locks.request(name, async lock => lock.mode)
  let known
  try {
    Semaphore.open(name + '-nothing')
  } catch (error) {
    known = error instanceof IpcError
  }
  globalThis.left = version === 1 ? [semaphore.wait(), semaphore.wait()] : []
  return Response.json({ version, before, mode, known })
}
`

const next = npmTool('next')
requires(next).serial(
  'the dev server of Next.js takes an edit, and the waits of both versions end',
  async t => {
    const names = ['next', 'react', 'react-dom']
    const links = Object.fromEntries(names.map(name => [name, beside(next, name)]))
    const route = 'app/work/route.js'
    // The links lead out of the project, where Turbopack does not look without a setting.
    const config = { serverExternalPackages: ['os-ipc'], turbopack: { root: '/' } }
    const { home, env } = project(
      t,
      {
        'next.config.mjs': `export default ${JSON.stringify(config)}\n`,
        'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>\n',
        'app/page.js': 'export default () => null\n',
        [route]: ROUTE,
      },
      links,
    )
    const server = program(t, [process.execPath, next.path, 'dev', home, '--port', '0', '-H', '127.0.0.1'], {
      env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
      limit: 180_000,
    })
    let url: string | undefined
    while (url === undefined) url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(await server.next()))?.[0]
    const ask = async () => (await (await fetch(`${url}/work`)).json()) as { version: number }
    t.deepEqual(await ask(), { version: 1, before: 0, mode: 'exclusive', known: true } as object)
    writeFileSync(join(home, route), ROUTE.replace('version = 1', 'version = 2'))
    let answer = await ask()
    // The server notices the edit after a moment; until then the first version answers, and ends its own waits.
    while (answer.version === 1) answer = await ask()
    t.deepEqual(answer, { version: 2, before: 2, mode: 'exclusive', known: true } as object)
  },
)

const examples = fileURLToPath(new URL('../../examples/', import.meta.url))

requires(jest).serial('examples/jest: test files in several processes take turns', async t => {
  t.teardown(() => removeNamed('/example-jest'))
  const text = readFileSync(join(examples, 'jest/orders.test.js'), 'utf8')
  const { home, env } = project(
    t,
    each(file => ({ [`${file}.test.js`]: text })),
  )
  const report = join(home, 'report.json')
  const config = JSON.stringify({ rootDir: home, cacheDirectory: join(folder(t), 'cache') })
  const args = ['--maxWorkers=2', '--watchman=false', '--json', `--outputFile=${report}`, '--config', config]
  const { code, stderr } = await program(t, [process.execPath, jest.path, ...args], { env }).exit
  t.is(code, 0, stderr)
  t.like(JSON.parse(readFileSync(report, 'utf8')), { numPassedTests: 2, numFailedTests: 0 })
})

requires(next).serial('examples/next: two requests at a time run in the route', async t => {
  t.teardown(() => removeNamed('/example-next'))
  const links = Object.fromEntries(['next', 'react', 'react-dom'].map(name => [name, beside(next, name)]))
  const read = (file: string) => readFileSync(join(examples, 'next', file), 'utf8')
  const config = read('next.config.mjs')
  // The links lead out of the project, where Turbopack does not look without a setting.
  const linked = config.replace(" ['os-ipc'] }", " ['os-ipc'], turbopack: { root: '/' } }")
  t.not(linked, config)
  const { home, env } = project(
    t,
    {
      'next.config.mjs': linked,
      'app/layout.js': 'export default ({ children }) => <html><body>{children}</body></html>\n',
      'app/convert/route.js': read('app/convert/route.js'),
    },
    links,
  )
  const server = program(t, [process.execPath, next.path, 'dev', home, '--port', '0', '-H', '127.0.0.1'], {
    env: { ...env, NEXT_TELEMETRY_DISABLED: '1' },
    limit: 180_000,
  })
  let url: string | undefined
  while (url === undefined) url = /http:\/\/127\.0\.0\.1:\d+/.exec(String(await server.next()))?.[0]
  const ask = async () => (await (await fetch(`${url}/convert`)).json()) as { permits: number }[]
  await ask() // compiles the route
  for (const holders of await Promise.all(Array.from({ length: 4 }, ask))) {
    const held = holders.reduce((sum, { permits }) => sum + permits, 0)
    t.true(held === 1 || held === 2, JSON.stringify(holders))
  }
})
