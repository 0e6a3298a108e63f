// index.d.ts: the whole public API in one file that people read, out of the declarations that tsc wrote a file each.

import { dts } from 'rollup-plugin-dts'

export default {
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
}
