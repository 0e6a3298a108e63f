// Programs from npm that only tests call, in the cache: as devDependencies, every installation would download them.

import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { attempt } from '../run.mjs'
import { cache, cached } from './cache.mjs'
import { Missing } from './missing.mjs'

/** By name: the packages, and the file that Node runs or that runs by itself. */
const TOOLS = {
  bun: { packages: { bun: '1.4.5' }, program: 'bun/bin/bun.exe' },
  deno: { packages: { deno: '2.9.6' }, program: 'deno/deno' },
  pnpm: { packages: { pnpm: '12.21.0' }, program: 'pnpm/bin/pnpm.mjs' },
  yarn: { packages: { '@yarnpkg/cli-dist': '4.18.1' }, program: '@yarnpkg/cli-dist/bin/yarn.js' },
  publint: { packages: { publint: '0.3.25' }, program: 'publint/src/cli.js' },
  attw: { packages: { '@arethetypeswrong/cli': '0.18.5' }, program: '@arethetypeswrong/cli/dist/index.js' },
  esbuild: { packages: { esbuild: '0.28.2' }, program: 'esbuild/bin/esbuild' },
  vite: { packages: { vite: '8.3.8' }, program: 'vite/bin/vite.js' },
  webpack: {
    packages: { webpack: '5.112.2', 'webpack-cli': '7.3.1' },
    program: 'webpack/bin/webpack.js',
  },
  // With the packages that it needs to run TypeScript.
  jest: {
    packages: { jest: '30.5.2', 'ts-jest': '29.4.15', typescript: '6.0.3' },
    program: 'jest/bin/jest.js',
  },
  vitest: { packages: { vitest: '5.1.2' }, program: 'vitest/vitest.mjs' },
  next: {
    packages: { next: '16.4.6', react: '19.3.1', 'react-dom': '19.3.1' },
    program: 'next/dist/bin/next',
  },
  mocha: { packages: { mocha: '12.0.3' }, program: 'mocha/bin/mocha.js' },
  // The oldest TypeScript that compiles the types of this package, and the newest types of Node that it understands.
  'oldest-typescript': {
    packages: { typescript: '5.2.2', '@types/node': '24.19.4' },
    program: 'typescript/bin/tsc',
  },
  pm2: { packages: { pm2: '7.0.4' }, program: 'pm2/bin/pm2-runtime' },
  postject: { packages: { postject: '1.0.0-alpha.6' }, program: 'postject/dist/cli.js' },
}

export const names = Object.keys(TOOLS)

/** The path of the program, if it was fetched. */
export function find(name) {
  return join(cache, folder(name), 'node_modules', TOOLS[name].program)
}

/** The program; fetches it if it is missing. */
export function tool(name) {
  cached(folder(name), home => {
    const { packages, program } = TOOLS[name]
    console.log(`os-ipc: fetching ${name} from npm`)
    // Some versions of npm ask before they run the install scripts that put programs into their places.
    const allowScripts = Object.fromEntries(Object.keys(packages).map(each => [each, true]))
    writeFileSync(
      join(home, 'package.json'),
      JSON.stringify({ private: true, dependencies: packages, allowScripts }),
    )
    const args = ['install', '--no-audit', '--no-fund', '--loglevel=error']
    const problem = attempt('npm', args, { cwd: home })
    if (problem) throw new Missing(`${name} from npm: ${problem}`)
    if (!existsSync(join(home, 'node_modules', program))) {
      throw new Missing(`${name}: no ${program} in ${readdirSync(join(home, 'node_modules')).join(' ')}`)
    }
  })
  return find(name)
}

function folder(name) {
  return `${name}-${Object.values(TOOLS[name].packages)[0]}`
}
