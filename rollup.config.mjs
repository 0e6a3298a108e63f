// Puts together what tsc wrote into .cache, a file for each source.
//
// JavaScript becomes CommonJS: `import`, `require`, both of them in one program, Jest and bundlers then get the same modules
// and so the same state. Every file that a process loads costs a third of a millisecond, so the code is in few files:
//
//   lib/os-ipc.cjs                  everything that needs the addon
//   lib/common.cjs                  what the subpaths share with it: errors, options, clocks, leases
//   redis.cjs, postgres.cjs, testing.cjs   the code of the subpaths
//
// index.cjs, index.js, redis.js, postgres.js and testing.js name what these export. A part of lib/ that somebody imports by itself has
// a file that names its exports too.
//
// Declarations: index.d.cts, redis.d.cts, postgres.d.cts and testing.d.cts have all that people read; the .d.ts beside each is one line.

import { cpSync, readdirSync, rmSync } from 'node:fs'

import { dts } from 'rollup-plugin-dts'

const CODE = '.cache/built'
const TYPES = '.cache/types'
const ENTRIES = ['index', 'redis', 'postgres', 'testing']

/** What belongs to the main entry: the types of the others refer to it, and do not repeat it. */
const fromMain = {
  name: 'from-main',
  resolveId: id =>
    /^\.\.\/(.*\/)?(permit-source|waiting\/options|lock\/types)\.js$/.test(id)
      ? { id: './index.cjs', external: true }
      : null,
}

/** What the subpaths share with this machine and with each other, and the rest, which loads the addon. */
const bundleOf = id => {
  const isShared = /\/lib\/(waiting\/(clock|deadline|signals)|lock\/request|lease\/\w+|[\w-]+)\.js$/
  if (isShared.test(id)) return 'common'
  if (/\/lib\/(redis|postgres|testing)\//.test(id)) return undefined
  return id.includes(`${CODE}/lib/`) ? 'os-ipc' : undefined
}

/** Modules of Node: a bundler of ES modules leaves no `require` that works for them. */
const modulesOfNode = {
  name: 'modules-of-node',
  renderChunk: code => code.replaceAll(/\brequire\(('node:[\w/]+')\)/g, 'process.getBuiltinModule($1)'),
}

/** Beside each entry an ES module that exports the same names: from where the code is, to load one file less. */
const namedExports = {
  name: 'named-exports',
  generateBundle(_, bundle) {
    for (const chunk of Object.values(bundle).filter(({ isEntry }) => isEntry)) {
      const { name, fileName, exports } = chunk
      const folder = name.includes('/') ? '../'.repeat(name.split('/').length - 1) : './'
      const sources = Object.entries(chunk.importedBindings).map(([file, names]) => [
        file,
        names.filter(each => exports.includes(each)),
      ])
      const found = sources.flatMap(([, names]) => names)
      const isCode = Object.values(chunk.modules).some(({ renderedLength }) => renderedLength > 0)
      if (!isCode && found.length !== exports.length) {
        this.error(
          `${name} exports ${exports}, and the bundles have ${found}: two parts of lib/ export one name`,
        )
      }
      const lines = (isCode ? [[fileName, exports]] : sources)
        .filter(([, names]) => names.length > 0)
        .map(([file, names]) => `export { ${names.join(', ')} } from '${folder}${file}'\n`)
      this.emitFile({ type: 'asset', fileName: `${name}.js`, source: lines.join('') || 'export {}\n' })
      // Nobody requires a part.
      if (name.startsWith('lib/')) delete bundle[fileName]
    }
  },
}

/** Files below a folder, without their ending. */
const below = (folder, ending) =>
  readdirSync(folder, { recursive: true })
    .filter(file => file.endsWith(ending) && !file.endsWith('.d.ts'))
    .map(file => `${folder}/${file.slice(0, -ending.length)}`)

/** The command is not put together: a file is loaded for the command that is called. What has no source any more goes. */
const command = {
  name: 'command',
  writeBundle(_, bundle) {
    const sources = below('cli', '.ts')
    for (const file of sources) cpSync(`${CODE}/${file}.js`, `${file}.js`)
    const kept = new Set([...sources.map(file => `${file}.js`), ...Object.keys(bundle)])
    const made = ['lib', 'cli'].flatMap(folder =>
      ['.js', '.cjs'].flatMap(ending => below(folder, ending).map(file => `${file}${ending}`)),
    )
    for (const file of made.filter(each => !kept.has(each))) rmSync(file)
  },
}

/** The parts that the command imports, which ship, and one for our tests. */
const parts = ['lib/addon/native', 'lib/waiting/deadline', 'lib/lock/manager']

// `Disposable` is not in the `lib: es2022` of many users.
const banner = '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />'

/** The types of an ES module are those of the CommonJS: the classes are the same. */
const forModules = name => ({
  name: 'for-modules',
  generateBundle() {
    this.emitFile({ type: 'asset', fileName: `${name}.d.ts`, source: `export * from './${name}.cjs'\n` })
  },
})

export default [
  {
    input: Object.fromEntries([...ENTRIES, ...parts].map(part => [part, `${CODE}/${part}.js`])),
    output: {
      dir: '.',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: 'lib/[name].cjs',
      manualChunks: bundleOf,
      minifyInternalExports: false,
      esModule: false,
      hoistTransitiveImports: false,
    },
    preserveEntrySignatures: 'strict',
    external: /^node:/,
    plugins: [modulesOfNode, namedExports, command],
  },
  ...ENTRIES.map(name => ({
    input: `${TYPES}/${name}.d.ts`,
    output: { file: `${name}.d.cts`, format: 'es', banner },
    // What takes the addon's own types is not part of the API, and drops out.
    external: /native\.cjs$/,
    plugins: [...(name === 'index' ? [] : [fromMain]), dts(), forModules(name)],
  })),
]
