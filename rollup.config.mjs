// What tsc wrote a file each, put together. JavaScript: the code of lib/ in two files, because every file that a process
// loads costs a third of a millisecond; the other ones only name their part of it. index.d.ts, redis.d.ts, postgres.d.ts,
// testing.d.ts: what each entry exports, in one file that people read.

import { readdirSync } from 'node:fs'

import { dts } from 'rollup-plugin-dts'

/** What belongs to the main entry: the others import it, by the name of the package, and do not tell it again. */
const fromMain = {
  name: 'from-main',
  resolveId: id =>
    /^\.\.\/(permit-source|semaphore|lock-types)\.js$/.test(id) ? { id: 'os-ipc', external: true } : null,
}

/** What Redis and PostgreSQL share with this machine, and the rest, which loads the addon. */
const bundleOf = id => (/\/lib\/(deadline|errors|lock-request|options)\.js$/.test(id) ? 'common' : 'machine')

// `Disposable` is not in the `lib: es2022` of many users.
const banner = '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />'

const parts = readdirSync('lib')
  .filter(file => file.endsWith('.ts'))
  .map(file => `lib/${file.slice(0, -'.ts'.length)}`)

export default [
  {
    input: Object.fromEntries(['index', ...parts].map(part => [part, `${part}.js`])),
    output: {
      dir: '.',
      format: 'es',
      entryFileNames: '[name].js',
      chunkFileNames: 'lib/[name].js',
      manualChunks: bundleOf,
      minifyInternalExports: false,
    },
    preserveEntrySignatures: 'strict',
    external: /^node:/,
  },
  {
    input: '.cache/types/index.d.ts',
    output: { file: 'index.d.ts', format: 'es', banner },
    // What takes the addon's own types is not part of the API, and drops out.
    external: /native\.cjs$/,
    plugins: [dts()],
  },
  ...['redis', 'postgres', 'testing'].map(name => ({
    input: `.cache/types/${name}.d.ts`,
    output: { file: `${name}.d.ts`, format: 'es', banner },
    plugins: [fromMain, dts()],
  })),
]
