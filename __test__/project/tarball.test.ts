// The tarballs have what users need: they are packed, installed without a compiler and without a network, and used.

import { execFile, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, readdirSync, readFileSync, realpathSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import test, { type ExecutionContext } from 'ava'

import { removeNamed, uniqueName } from '../shared/names.ts'
import { npmTool } from '../shared/npm-tools.ts'
import { folder, platform, write } from '../shared/project.ts'
import { releaseBuild } from '../shared/release-build.ts'
import { type Need, requires } from '../shared/requires.ts'
import { pack, type Packed } from '../../scripts/release/pack.mjs'
import { targets } from '../../scripts/cross/targets.mjs'

const execute = promisify(execFile)
const repository = fileURLToPath(new URL('../..', import.meta.url))
const here = targets.filter(({ name }) => name === platform)

const undo: (() => void)[] = []
test.after.always(() => {
  for (const fn of undo) fn()
})
const packed = pack(folder({ teardown: fn => undo.push(fn as () => void) }), { platforms: here })

requires(releaseBuild)('the tarballs hold what a user needs, and nothing else', t => {
  const [main, binary, ...more] = packed.map(({ name, files }) => [
    name,
    files.map(({ path }) => path).sort(),
  ])
  const commands = readdirSync(join(repository, 'cli/commands'), { encoding: 'utf8' })
    .filter(file => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map(file => file.replace(/\.ts$/, ''))
    .filter(name => name !== 'run' && name !== 'lock')
  const parts = [
    'command',
    'run',
    'supervise',
    'spawning',
    'spawn-thread',
    'windows',
    'redis',
    'postgres',
    'channel',
    ...commands,
  ]
  const command = ['cli/os-ipc.cjs', 'cli/os-ipc-win.cjs', ...parts.map(name => `cli/${name}.cjs`)]
  const entries = ['index', 'redis', 'postgres', 'testing'].flatMap(name =>
    ['js', 'cjs', 'd.ts', 'd.cts'].map(ending => `${name}.${ending}`),
  )
  const bundles = ['lib/channel.cjs', 'lib/common.cjs', 'lib/os-ipc.cjs']
  t.deepEqual(main, [
    'os-ipc',
    [
      ...[
        'CHANGELOG.md',
        'LICENSE',
        'README.md',
        'llms.txt',
        ...entries,
        ...bundles,
        'native.cjs',
        'package.json',
      ],
      ...command,
    ].sort(),
  ])
  t.deepEqual(binary, [
    `os-ipc-${platform}`,
    ['LICENSE', 'README.md', `os-ipc.${platform}.node`, 'package.json'].sort(),
  ])
  t.deepEqual(more, [])
})

test('a package without a binary is not packed', t => {
  const program = `
import { pack } from ${JSON.stringify(new URL('../../scripts/release/pack.mjs', import.meta.url).href)}
import { targets } from ${JSON.stringify(new URL('../../scripts/cross/targets.mjs', import.meta.url).href)}
const [folder, which] = process.argv.slice(1)
pack(folder, { platforms: which === 'none' ? [] : [{ ...targets[0], path: '/nowhere', file: 'nowhere.node' }] })
`
  for (const which of ['none', 'one']) {
    const into = folder(t)
    const args = ['--input-type=module', '-e', program, into, which]
    const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    t.is(status, 1)
    t.regex(stderr, /^os-ipc: there is no binary .*npm run build/)
    t.deepEqual(readdirSync(into), [])
  }
})

test('the package runs nothing when it is installed, and depends on nothing but its binaries', t => {
  const manifest = JSON.parse(
    spawnSync('tar', ['xzOf', (packed[0] as Packed).file, 'package/package.json']).stdout.toString(),
  )
  const known = [
    'name',
    'version',
    'description',
    'keywords',
    'license',
    'author',
    'funding',
    'homepage',
    'bugs',
    'repository',
  ]
  const peers = ['peerDependencies', 'peerDependenciesMeta']
  const used = [
    'type',
    'engines',
    'exports',
    'main',
    'types',
    'bin',
    'files',
    'optionalDependencies',
    ...peers,
  ]
  t.deepEqual(
    Object.keys(manifest).filter(key => ![...known, ...used].includes(key)),
    [],
  )
  t.deepEqual(
    manifest.optionalDependencies,
    Object.fromEntries(targets.map(({ name }) => [`os-ipc-${name}`, manifest.version])),
  )
  t.deepEqual(Object.keys(manifest.peerDependencies).sort(), ['ioredis', 'pg', 'redis-semaphore'])
  t.deepEqual(manifest.peerDependenciesMeta, {
    ioredis: { optional: true },
    pg: { optional: true },
    'redis-semaphore': { optional: true },
  })
})

interface Manager extends Need {
  name: string
  install: string[]
  run?: string[]
  env?: Record<string, string>
  /** The package manager wants a file for every optional dependency, also for other platforms. */
  wantsAll?: boolean
}

const npm = realpathSync(spawnSync('sh', ['-c', 'command -v npm'], { encoding: 'utf8' }).stdout.trim())
const [pnpm, yarn] = [npmTool('pnpm'), npmTool('yarn')]
const offline = { YARN_ENABLE_NETWORK: '0', YARN_ENABLE_TELEMETRY: '0' }
const managers: readonly Manager[] = [
  { name: 'npm', missing: undefined, install: [npm, 'install', '--offline', '--no-audit', '--no-fund'] },
  { name: 'pnpm', missing: pnpm.missing, install: [pnpm.path, 'install', '--offline'] },
  {
    name: 'yarn',
    missing: yarn.missing,
    install: [yarn.path, 'install'],
    env: { ...offline, YARN_NODE_LINKER: 'node-modules' },
    wantsAll: true,
  },
  {
    name: "yarn Plug'n'Play",
    missing: yarn.missing,
    install: [yarn.path, 'install'],
    run: [yarn.path, 'node'],
    env: { ...offline, YARN_NODE_LINKER: 'pnp' },
    wantsAll: true,
  },
]

async function run(
  t: ExecutionContext,
  command: string,
  args: string[],
  options: object = {},
): Promise<string> {
  try {
    return (await execute(command, args, { timeout: 90_000, ...options })).stdout
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string }
    return t.fail(`${args.join(' ')}\n${stdout}${stderr}`) as never
  }
}

/** A project on a machine that has only Node. */
class Project {
  readonly path: string
  readonly #t: ExecutionContext
  readonly #env: Record<string, string>

  constructor(t: ExecutionContext, { env = {}, wantsAll = false }: Partial<Manager> = {}) {
    this.#t = t
    this.path = folder(t)
    const programs = join(this.path, 'programs')
    mkdirSync(programs)
    for (const [name, path] of Object.entries({ node: process.execPath, sh: '/bin/sh' })) {
      symlinkSync(path, join(programs, name))
    }
    this.#env = { HOME: this.path, PATH: programs, ...env }
    const files = Object.fromEntries(packed.map(({ name, file }) => [name, `file:${file}`]))
    const resolutions = Object.fromEntries(
      targets.map(({ name }) => [`os-ipc-${name}`, files[`os-ipc-${name}`] ?? this.#standIn(name)]),
    )
    this.write(
      'package.json',
      JSON.stringify({ private: true, dependencies: files, ...(wantsAll && { resolutions }) }),
    )
    if (wantsAll) this.write('yarn.lock', '')
  }

  write(name: string, text: string): void {
    write(join(this.path, name), text)
  }

  /** Runs Node to its end and returns its output. */
  node(...args: string[]): Promise<string> {
    return run(this.#t, 'node', args, { cwd: this.path, env: this.#env })
  }

  /** Runs a command that npm has linked. */
  command(name: string, ...args: string[]): Promise<string> {
    return run(this.#t, join(this.path, 'node_modules', '.bin', name), args, {
      cwd: this.path,
      env: this.#env,
    })
  }

  #standIn(name: string): string {
    const { os, cpu } = targets.find(target => target.name === name) as (typeof targets)[number]
    const manifest = { name: `os-ipc-${name}`, version: '0.1.0', os: [os], cpu: [cpu] }
    this.write(`stand-ins/${name}/package.json`, JSON.stringify(manifest))
    return `file:./stand-ins/${name}`
  }
}

const MODULE = `
import { Limit, SharedMemory } from 'os-ipc'

const [name] = process.argv.slice(-1)
const jobs = Limit.create(name, { permits: 1 })
const value = await jobs.use(() => jobs.info().free)
jobs.unlink()
const memory = SharedMemory.create(name, { size: 8 })
memory.write('hi')
console.log(JSON.stringify([value, memory.toBuffer(0, 2).toString()]))
memory.unlink()
`
const COMMON = MODULE.replace(/import (.*) from ('os-ipc')/, 'const $1 = require($2)').replace(
  /const value[\s\S]*/,
  rest => `void (async () => {${rest}})()`,
)

for (const manager of managers) {
  requires(manager).serial(
    `${manager.name} installs the package from the files, without a compiler`,
    async t => {
      const project = new Project(t, manager)
      t.is(
        await project.node(
          '-p',
          "require('child_process').spawnSync('sh', ['-c', 'command -v cargo cc gcc']).status",
        ),
        '127\n',
      )
      await project.node(...manager.install)
      const name = uniqueName(t)
      project.write('module.mjs', MODULE)
      project.write('common.cjs', COMMON)
      t.is(await project.node(...(manager.run ?? []), 'module.mjs', name), '[0,"hi"]\n')
      t.is(await project.node(...(manager.run ?? []), 'common.cjs', name), '[0,"hi"]\n')
    },
  )
}

const RESOLUTIONS = [
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
] as const

/** Compiles the files of a project, as strictly as a user may ask for, into `out`. */
async function compile(
  project: Project,
  [module, moduleResolution]: readonly [string, string],
  files: readonly string[],
  more: object = {},
): Promise<void> {
  for (const name of ['@types', 'undici-types']) {
    cpSync(join(repository, 'node_modules', name), join(project.path, 'node_modules', name), {
      recursive: true,
    })
  }
  const compilerOptions = {
    ...{ module, moduleResolution, target: 'es2022', lib: ['es2022'], types: ['node'], outDir: 'out' },
    ...{ strict: true, exactOptionalPropertyTypes: true, skipLibCheck: false, ...more },
  }
  project.write('tsconfig.json', JSON.stringify({ compilerOptions, files }))
  await project.node(join(repository, 'node_modules/typescript/bin/tsc'))
}

for (const resolution of RESOLUTIONS) {
  const [module, moduleResolution] = resolution
  test.serial(`a TypeScript project with lib es2022 compiles and runs (${moduleResolution})`, async t => {
    const project = new Project(t)
    await project.node(npm, 'install', '--offline', '--no-audit', '--no-fund')
    const common = module.startsWith('node') ? ['common.cts'] : []
    project.write('module.mts', MODULE.replace('[name]', "[name = '']"))
    project.write('common.cts', "import ipc = require('os-ipc')\nconsole.log(ipc.ftok('/', 1) >>> 24)\n")
    await compile(project, resolution, ['module.mts', ...common])
    t.is(await project.node('out/module.mjs', uniqueName(t)), '[0,"hi"]\n')
    if (common.length > 0) t.is(await project.node('out/common.cjs'), '1\n')
  })
}

test.serial('a TypeScript project of CommonJS that knows no exports (node10) compiles and runs', async t => {
  const project = new Project(t)
  await project.node(npm, 'install', '--offline', '--no-audit', '--no-fund')
  const program = `
import { IpcError, Semaphore } from 'os-ipc'
import type { RedisLimit } from 'os-ipc/redis'
import { permitSourceCases } from 'os-ipc/testing'
export const permits = (semaphore: RedisLimit): number => semaphore.permits
try {
  Semaphore.open(process.argv[2] ?? '')
} catch (error) {
  console.log(error instanceof IpcError, typeof permitSourceCases)
}
`
  project.write('program.ts', program)
  await compile(project, ['commonjs', 'node10'], ['program.ts'], { ignoreDeprecations: '6.0' })
  // A resolver that does not know `exports` finds the files of the subpaths by their names.
  t.is(await project.node('out/program.js', uniqueName(t)), 'true function\n')
})

test.serial('npm links the command, and it runs with the installed package', async t => {
  const project = new Project(t)
  await project.node(npm, 'install', '--offline', '--no-audit', '--no-fund')
  const name = uniqueName(t)
  t.is(await project.command('os-ipc', 'create', name, '--permits', '3'), '')
  t.is(await project.command('os-ipc', 'run', name, '--', 'node', '-p', '6 * 7'), '42\n')
  t.regex(await project.command('os-ipc', 'limit', name), /^permits +3\nfree +3$/m)
})

/** An example of the README: `client` of `client.mjs`, and its code. */
interface Example {
  name: string
  code: string
}

/** Runs each example of the README, translated to this language, with unique names. */
async function runExamples(
  t: ExecutionContext,
  prepare: (project: Project, examples: readonly Example[]) => Promise<(name: string) => string>,
): Promise<void> {
  const project = new Project(t)
  await project.node(npm, 'install', '--offline', '--no-audit', '--no-fund')
  const readme = readFileSync(join(project.path, 'node_modules/os-ipc/README.md'), 'utf8')
  const tag = uniqueName(t)
  const examples = [...readme.matchAll(/```js\n\/\/ (\S+)\.mjs\n([\s\S]*?)```/g)].map(
    ([, name = '', code = '']) => ({
      name,
      code: code.replaceAll(/'(\/[a-z]+)'/g, (_, object: string) => {
        t.teardown(() => removeNamed(`${tag}${object.slice(1)}`))
        return `'${tag}${object.slice(1)}'`
      }),
    }),
  )
  t.true(examples.length >= 3)
  const file = await prepare(project, examples)
  // A client runs after the server that it waits for.
  const names = examples.map(({ name }) => name)
  for (const name of names.sort((a, b) => Number(a === 'client') - Number(b === 'client'))) {
    await project.node(file(name))
    t.pass(name)
  }
}

test.serial("the README's examples run from the installed package", t =>
  runExamples(t, async (project, examples) => {
    for (const { name, code } of examples) project.write(`${name}.mjs`, code)
    return name => `${name}.mjs`
  }),
)

test.serial("the README's examples run as CommonJS", t =>
  runExamples(t, async (project, examples) => {
    for (const { name, code } of examples) {
      const body = code.replaceAll(
        /import (.*) from ('.*')/g,
        (_, names: string, module: string) => `const ${names.replaceAll(' as ', ': ')} = require(${module})`,
      )
      project.write(`${name}.cjs`, `void (async () => {\n${body}})()\n`)
    }
    return name => `${name}.cjs`
  }),
)

for (const resolution of RESOLUTIONS) {
  test.serial(`the README's examples compile and run as TypeScript (${resolution[1]})`, t =>
    runExamples(t, async (project, examples) => {
      for (const { name, code } of examples) project.write(`${name}.mts`, code)
      await compile(
        project,
        resolution,
        examples.map(({ name }) => `${name}.mts`),
      )
      return name => `out/${name}.mjs`
    }),
  )
}

const publint = npmTool('publint')
requires(publint).serial('publint reports nothing', async t => {
  t.regex(await run(t, process.execPath, [publint.path, '--strict', (packed[0] as Packed).file]), /All good/)
})

const attw = npmTool('attw')
requires(attw).serial('the types are right for every way to load the package', async t => {
  const options = ['--format', 'ascii']
  t.regex(
    await run(t, process.execPath, [attw.path, (packed[0] as Packed).file, ...options]),
    /No problems found/,
  )
})
