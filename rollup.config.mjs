// What tsc wrote a file each, put together: index.js, because every file that a process loads costs a third of a
// millisecond; and index.d.ts, the whole public API in one file that people read.

import { readFileSync } from 'node:fs'

import { dts } from 'rollup-plugin-dts'

const { exports } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))

/** Every entry of the package: what two of them share is in one file, so that no class is there twice. */
const entries = Object.values(exports)
  .map(entry => entry.default)
  .filter(file => file !== undefined)
  .map(file => file.replace(/^\.\/|\.js$/g, ''))

export default [
  {
    input: Object.fromEntries(entries.map(entry => [entry, `./${entry}.js`])),
    // Beside native.cjs, which lib/loading.ts looks for there.
    output: { dir: '.', format: 'es', entryFileNames: '[name].js', chunkFileNames: 'shared.js' },
    external: /^node:/,
  },
  {
    input: '.cache/types/index.d.ts',
    output: {
      file: 'index.d.ts',
      format: 'es',
      // `Disposable` is not in the `lib: es2022` of many users.
      banner: '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />',
    },
    // What takes the addon's own types is not part of the API, and drops out.
    external: /native\.cjs$/,
    plugins: [dts()],
  },
]
