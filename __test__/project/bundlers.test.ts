// Each bundler of docs/bundlers.md, with its one setting, makes a bundle that runs where the package is installed.

import { execFile } from 'node:child_process'
import { copyFileSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { ExecutionContext } from 'ava'

import { uniqueName } from '../shared/names.ts'
import { npmTool } from '../shared/npm-tools.ts'
import { binary, project, write } from '../shared/project.ts'
import { requires } from '../shared/requires.ts'

const execute = promisify(execFile)

const USE = `
const name = process.argv.at(-1)
const jobs = Semaphore.create(name, { initial: 3 })
console.log(jobs.tryWait(), jobs.value)
jobs.unlink()
`
const MODULE = `import { Semaphore } from 'os-ipc'\n${USE}`
const USED = 'true 2\n'

/** A project with a program to bundle, and a function that runs commands in it. */
function bundling(t: ExecutionContext): {
  home: string
  run: (command: string, args: string[], env?: Record<string, string>) => Promise<string>
} {
  const home = project(t)
  write(join(home, 'program.mjs'), MODULE)
  const run = async (command: string, args: string[], env: Record<string, string> = {}) => {
    const options = { cwd: home, env: { ...process.env, ...env }, timeout: 90_000 }
    try {
      return (await execute(command, args, options)).stdout
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string }
      throw new Error(`${command} ${args.join(' ')}\n${stdout}${stderr}`)
    }
  }
  return { home, run }
}

const esbuild = npmTool('esbuild')
for (const [format, extension] of [
  ['esm', 'mjs'],
  ['cjs', 'cjs'],
] as const) {
  const out = `out/program.${extension}`
  const options = [
    '--bundle',
    '--platform=node',
    `--format=${format}`,
    `--outfile=${out}`,
    '--log-level=error',
  ]

  requires(esbuild)(`a bundle of esbuild (${format}) runs with the package external`, async t => {
    const { run } = bundling(t)
    await run(esbuild.path, ['program.mjs', ...options, '--external:os-ipc'])
    t.is(await run('node', [out, uniqueName(t)]), USED)
  })

  requires(esbuild)(`esbuild (${format}) refuses to bundle the package, and names the file`, async t => {
    const { run } = bundling(t)
    await t.throwsAsync(run(esbuild.path, ['program.mjs', ...options]), {
      message: new RegExp(`No loader is configured for "\\.node" files: .*${binary}`),
    })
  })

  requires(esbuild)(
    `a bundle of esbuild (${format}) with os-ipc/redis in it looks for its peers`,
    async t => {
      const { home, run } = bundling(t)
      write(join(home, 'program.mjs'), "import 'os-ipc/redis'")
      await run(esbuild.path, ['program.mjs', ...options])
      await t.throwsAsync(run('node', [out]), { message: /ERR_MISSING_PEER/ })
      write(join(home, 'node_modules/redis-semaphore/index.js'), 'exports.Semaphore = class {}')
      write(join(home, 'node_modules/ioredis/index.js'), 'exports.Redis = class {}')
      t.is(await run('node', [out]), '')
    },
  )

  requires(esbuild)(
    `a bundle of esbuild (${format}) with os-ipc/postgres in it looks for its peer`,
    async t => {
      const { home, run } = bundling(t)
      const use =
        "import { PostgresLocks } from 'os-ipc/postgres'\nconsole.log(typeof PostgresLocks.connect)\n"
      write(join(home, 'program.mjs'), use)
      await run(esbuild.path, ['program.mjs', ...options])
      await t.throwsAsync(run('node', [out]), { message: /ERR_MISSING_PEER/ })
      write(join(home, 'node_modules/pg/index.js'), 'exports.Client = class {}')
      t.is(await run('node', [out]), 'function\n')
    },
  )
}

requires(esbuild)('a bundle of esbuild (cjs) that copies the binary runs without the package', async t => {
  const { home, run } = bundling(t)
  const options = ['--bundle', '--platform=node', '--format=cjs', '--outdir=out', '--loader:.node=copy']
  await run(esbuild.path, ['program.mjs', ...options])
  const elsewhere = join(project(t, {}), 'out')
  cpSync(join(home, 'out'), elsewhere, { recursive: true })
  rmSync(join(elsewhere, '../node_modules'), { recursive: true })
  t.is(await run('node', [join(elsewhere, 'program.js'), uniqueName(t)]), USED)
})

requires(esbuild)(
  'a bundle of esbuild (esm) with the package in it throws at the first call and says why',
  async t => {
    const { home, run } = bundling(t)
    const options = ['--bundle', '--platform=node', '--format=esm', '--outdir=out', '--loader:.node=copy']
    await run(esbuild.path, ['program.mjs', ...options, '--out-extension:.js=.mjs'])
    // From a separate folder no code finds the addon.
    const elsewhere = join(project(t, {}), 'program.mjs')
    copyFileSync(join(home, 'out/program.mjs'), elsewhere)
    const { message } = await t.throwsAsync(run('node', [elsewhere, uniqueName(t)]))
    t.regex(message, /os-ipc is inside a bundle[\s\S]*ERR_NATIVE_BINDING/)
  },
)

const webpack = npmTool('webpack')
for (const [format, output, experiments] of [
  ['cjs', { filename: 'program.cjs' }, {}],
  ['esm', { filename: 'program.mjs', module: true }, { outputModule: true }],
] as const) {
  requires(webpack)(`a bundle of webpack (${format}) runs with the package external`, async t => {
    const { home, run } = bundling(t)
    const config = { mode: 'production', target: 'node22', entry: './program.mjs', experiments }
    const settings = "externals: /^os-ipc(\\/|$)/, externalsType: 'node-commonjs'"
    write(
      join(home, 'webpack.config.mjs'),
      `export default {
  ...${JSON.stringify({ ...config, output: { ...output, path: join(home, 'out') } })},
  ${settings},
}
`,
    )
    const subpath =
      "import { testPermitSource } from 'os-ipc/testing'\nif (!testPermitSource) process.exit(1)\n"
    write(join(home, 'program.mjs'), subpath + MODULE)
    await run('node', [webpack.path, '--config', 'webpack.config.mjs'])
    t.is(await run('node', [join('out', output.filename), uniqueName(t)]), USED)
    // The subpaths of the package are not in the bundle either.
    t.true(readFileSync(join(home, 'out', output.filename), 'utf8').length < 5_000)
  })
}

requires(webpack)('webpack refuses to bundle the package, and names the file', async t => {
  const { home, run } = bundling(t)
  await t.throwsAsync(
    run('node', [webpack.path, '--entry', './program.mjs', '--target', 'node22', '--mode', 'production']),
    { message: new RegExp(`ERROR in [\\s\\S]*${binary}`) },
  )
  t.false(existsSync(join(home, 'dist')))
})

const vite = npmTool('vite')
for (const [title, ssr] of [
  ['as it is', {}],
  ['that bundles all else', { noExternal: true, external: ['os-ipc'] }],
] as const) {
  requires(vite)(`a server build of vite ${title} leaves the package out, and runs`, async t => {
    const { home, run } = bundling(t)
    const config = { build: { ssr: 'program.mjs', outDir: 'out' }, ssr, logLevel: 'error' }
    write(join(home, 'vite.config.mjs'), `export default ${JSON.stringify(config)}\n`)
    await run('node', [vite.path, 'build'])
    t.is(await run('node', ['out/program.mjs', uniqueName(t)]), USED)
  })
}

const postject = npmTool('postject')
requires(postject).serial('a single executable of Node finds the package beside itself', async t => {
  const { home, run } = bundling(t)
  write(
    join(home, 'program.cjs'),
    `const { createRequire } = require('node:module')
const { Semaphore } = createRequire(process.execPath)('os-ipc')
${USE}`,
  )
  write(
    join(home, 'sea.json'),
    JSON.stringify({ main: 'program.cjs', output: 'program.blob', disableExperimentalSEAWarning: true }),
  )
  await run('node', ['--experimental-sea-config', 'sea.json'])
  copyFileSync(process.execPath, join(home, 'program'))
  const fuse = 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2'
  await run('node', [postject.path, 'program', 'NODE_SEA_BLOB', 'program.blob', '--sentinel-fuse', fuse])
  t.is(await run(join(home, 'program'), [uniqueName(t)]), USED)
})

const bun = npmTool('bun')
requires(bun)('an executable of Bun runs with the package beside it', async t => {
  const { home, run } = bundling(t)
  await run(bun.path, ['build', '--compile', '--external', 'os-ipc', 'program.mjs', '--outfile', 'program'])
  t.is(await run(join(home, 'program'), [uniqueName(t)]), USED)
})
