// index.d.ts: the whole public API in one file that people read.

import { dts } from 'rollup-plugin-dts'

export default {
  input: 'index.ts',
  output: {
    file: 'index.d.ts',
    format: 'es',
    // `Disposable` is not in the `lib: es2022` of many users.
    banner: '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />',
  },
  plugins: [dts({ tsconfig: 'tsconfig.json' })],
}
