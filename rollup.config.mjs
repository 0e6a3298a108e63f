// index.d.ts, redis.d.ts, testing.d.ts: what each entry exports in one file that people read, out of the declarations that
// tsc wrote a file each.

import { dts } from 'rollup-plugin-dts'

/** What belongs to the main entry, and is not told again by the others. */
const MAIN = /\/lib\/(permit-source|semaphore)\.(d\.ts|js)$/

// `Disposable` is not in the `lib: es2022` of many users.
const banner = '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />'

export default [
  {
    input: '.cache/types/index.d.ts',
    output: { file: 'index.d.ts', format: 'es', banner },
    // What takes the addon's own types is not part of the API, and drops out.
    external: /native\.cjs$/,
    plugins: [dts()],
  },
  ...['redis', 'testing'].map(name => ({
    input: `.cache/types/${name}.d.ts`,
    output: {
      file: `${name}.d.ts`,
      format: 'es',
      banner,
      paths: path => (MAIN.test(path) ? './index.js' : path),
    },
    external: [MAIN, /^(redis-semaphore|ioredis)$/],
    plugins: [dts()],
  })),
]
