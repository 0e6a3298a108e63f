// What docs/bundlers.md says of each bundler, done: with its one setting the bundle runs where the package is installed.

import { execFile } from 'node:child_process'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { ExecutionContext } from 'ava'

import { uniqueName } from './helpers/names.ts'
import { npmTool } from './helpers/npm-tools.ts'
import { binary, platform, project, write } from './helpers/project.ts'
import { requires } from './helpers/requires.ts'

const execute = promisify(execFile)

const USE = `
const name = process.argv.at(-1)
const jobs = Semaphore.create(name, { initial: 3 })
console.log(jobs.tryWait(), jobs.value)
jobs.unlink()
`
const MODULE = `import { Semaphore } from 'os-ipc'\n${USE}`
const USED = 'true 2\n'

/** A project with a program to bundle, and what runs others in it. */
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
requires(esbuild)(
  'a bundle of esbuild runs with the package external, and names the binding without',
  async t => {
    const { home, run } = bundling(t)
    const bundle = (...setting: string[]) =>
      run(esbuild.path, [
        'program.mjs',
        ...['--bundle', '--platform=node', '--format=esm', '--outfile=out/program.mjs', '--log-level=error'],
        ...setting,
      ])
    await bundle('--external:os-ipc')
    t.is(await run('node', ['out/program.mjs', uniqueName(t)]), USED)
    // In a folder of its own the addon is out of reach, whoever looks for it.
    await bundle()
    const elsewhere = join(project(t, {}), 'program.mjs')
    copyFileSync(join(home, 'out/program.mjs'), elsewhere)
    await t.throwsAsync(run('node', [elsewhere, uniqueName(t)]), { message: /ERR_NATIVE_BINDING/ })
  },
)

const webpack = npmTool('webpack')
requires(webpack)('a bundle of webpack runs with the package external', async t => {
  const { home, run } = bundling(t)
  write(
    join(home, 'webpack.config.mjs'),
    `export default {
  mode: 'production',
  target: 'node22',
  entry: './program.mjs',
  output: { path: ${JSON.stringify(join(home, 'out'))}, filename: 'program.mjs', module: true },
  externals: { 'os-ipc': 'os-ipc' },
  externalsType: 'module',
  experiments: { outputModule: true },
}
`,
  )
  await run('node', [webpack.path, '--config', 'webpack.config.mjs'])
  t.is(await run('node', ['out/program.mjs', uniqueName(t)]), USED)
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
requires(bun)('an executable of Bun runs with the binding named to it', async t => {
  const { home, run } = bundling(t)
  await run(bun.path, ['build', '--compile', '--external', 'os-ipc', 'program.mjs', '--outfile', 'program'])
  const addon = join(home, 'node_modules', `os-ipc-${platform}`, binary)
  const env = { NAPI_RS_NATIVE_LIBRARY_PATH: addon }
  t.is(await run(join(home, 'program'), [uniqueName(t)], env), USED)
})
