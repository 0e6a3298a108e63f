// Bundles the files that tsc wrote into .cache, one for each source.
//
// JavaScript becomes CommonJS: `import`, `require`, both of them in one program, Jest and bundlers then get the same modules
// and so the same state. Every file that a process loads costs a third of a millisecond, so the code is in few files. Every
// 50 KB cost a millisecond more, so the comments stay out, and the channels load when a program asks for them:
//
//   lib/os-ipc.cjs                  everything that needs the addon, but for what only channels need
//   lib/channel.cjs                 channels: `require('os-ipc').Channel` loads it
//   lib/common.cjs                  the modules that the subpaths share with it: errors, options, clocks, leases
//   redis.cjs, postgres.cjs, testing.cjs   the code of the subpaths
//
//   cli/command.cjs, cli/NAME.cjs   the command, and the modules that only one of its commands needs
//
// index.cjs, index.js, redis.js, postgres.js and testing.js name what these export. A part of lib/ or cli/ that our tests import by
// itself has a file that names its exports too; none of those ships.
//
// Declarations: index.d.cts, redis.d.cts, postgres.d.cts and testing.d.cts have all that people read; the .d.ts beside each is one line.

import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'

const CODE = '.cache/built'
const TYPES = '.cache/types'
const ENTRIES = ['index', 'redis', 'postgres', 'testing']

/** The modules of the main entry: the types of the other entries refer to them and do not repeat them. */
const fromMain = {
  name: 'from-main',
  resolveId: id =>
    /^\.\.\/(.*\/)?(permit-source|waiting\/options|lock\/types)\.js$/.test(id)
      ? { id: './index.cjs', external: true }
      : null,
}

/** The bundle of a module: `common` for modules that several entries share, else the bundle that loads the addon. */
const bundleOf = id => {
  const isShared = /\/lib\/(waiting\/(clock|deadline|options|signals)|lock\/request|lease\/\w+|[\w-]+)\.js$/
  if (isShared.test(id)) return 'common'
  if (/\/lib\/(redis|postgres|testing)\//.test(id)) return undefined
  // What lists the channels is in the main bundle.
  if (/\/lib\/channel\/(?!(listed|header|layout|names|seat|broken)\.)|\/diagnostics\/channels\./.test(id))
    return 'channel'
  return id.includes(`${CODE}/lib/`) ? 'os-ipc' : undefined
}

/** The declarations have the comments for people. */
const withoutComments = {
  name: 'without-comments',
  transform: code => {
    const { ESNext: target } = ts.ScriptTarget
    const compilerOptions = { removeComments: true, target, module: ts.ModuleKind.ESNext }
    return { code: ts.transpileModule(code, { compilerOptions }).outputText, map: null }
  },
}

/** `exports.Channel` of the main entry loads its bundle when it is read. */
const lateChannel = {
  name: 'late-channel',
  generateBundle(_, { 'index.cjs': index }) {
    const replace = (from, to) => {
      if (!index.code.includes(from)) this.error(`index.cjs has no ${from}`)
      index.code = index.code.replace(from, to)
    }
    replace("var channel = require('./lib/channel.cjs');\n", '')
    replace(
      'exports.Channel = channel.Channel;',
      "Object.defineProperty(exports, 'Channel', { enumerable: true, get: () => require('./lib/channel.cjs').Channel });",
    )
  },
}

/** Modules of Node: a bundler for ES modules breaks their `require`. */
const modulesOfNode = {
  name: 'modules-of-node',
  renderChunk: code => code.replaceAll(/\brequire\(('node:[\w/]+')\)/g, 'process.getBuiltinModule($1)'),
}

/** Writes an ES module beside each entry that exports the same names straight from the bundle, which saves loading one file. */
const namedExports = (isPart, { some = false } = {}) => ({
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
      if (!isCode && found.length !== exports.length && !some) {
        this.error(`${name} exports ${exports}, and the bundles have ${found}: two parts export one name`)
      }
      const lines = (isCode ? [[fileName, exports]] : sources)
        .filter(([, names]) => names.length > 0)
        .map(([file, names]) => `export { ${names.join(', ')} } from '${folder}${file}'\n`)
      // Two parts of a file of the command can export one name; such parts get no facade here.
      if (isCode || found.length === exports.length)
        this.emitFile({ type: 'asset', fileName: `${name}.js`, source: lines.join('') || 'export {}\n' })
      // No code requires a part.
      if (isPart(name)) delete bundle[fileName]
    }
  },
})

/** The command: the core, a file for `run` and `lock`, and one for each other command with its folder. */
const partOfCommand = id => {
  const [, part] = /\/cli\/(.*)\.js$/.exec(id) ?? []
  if (/\/lib\/closest\.js$/.test(id)) return 'command'
  if (part === undefined || part === 'run/spawn-thread') return undefined
  if (/^run\/(child|plan|spawn-watched)$/.test(part)) return 'supervise'
  if (/^run\/(redis|postgres|spawning|windows)$/.test(part)) return part.slice('run/'.length)
  if (/^(run\/.*|commands\/(run|lock))$/.test(part)) return 'run'
  if (/^(main|commands|core\/.*)$/.test(part) && part !== 'core/ask') return 'command'
  return part === 'core/ask' ? 'rm' : (/^commands\/(.*)$/.exec(part)?.[1] ?? part.split('/')[0])
}

/** The parts of the package that the command uses, with their paths from the command's files, which are all in one folder. */
const PACKAGE = [
  [/^(?:(?:\.\.\/)+|.*\/built\/)(index|redis|postgres)\.js$/, name => `../${name}.cjs`],
  [/\/lib\/addon\/native\.js$/, () => '../lib/os-ipc.cjs'],
]
const inPackage = id => {
  const found = PACKAGE.find(([pattern]) => pattern.test(id))
  return found?.[1](found[0].exec(id)[1])
}

/** CommonJS has no `import.meta`. */
const ownAddress = {
  name: 'own-address',
  resolveImportMeta: property =>
    property === 'url' ? `process.getBuiltinModule('node:url').pathToFileURL(__filename).href` : null,
}

/** The files that package.json names as commands. */
const ENTRIES_OF_COMMAND = ['os-ipc', 'os-ipc-win']

/** The entries are separate modules, because a shell reads the first one. */
const entryOfCommand = {
  name: 'entry-of-command',
  writeBundle: () => {
    for (const name of ENTRIES_OF_COMMAND) {
      // What tsc adds to a file without imports and exports would make it an ES module.
      const code = readFileSync(`${CODE}/cli/${name}.js`, 'utf8').replace(/^export \{\};\n/m, '')
      writeFileSync(`cli/${name}.cjs`, code, { mode: 0o755 })
      chmodSync(`cli/${name}.cjs`, 0o755)
    }
  },
}

/** Files below a folder, without their ending. */
const below = (folder, ending) =>
  readdirSync(folder, { recursive: true })
    .filter(file => file.endsWith(ending) && !file.endsWith('.d.ts'))
    .map(file => file.slice(0, -ending.length))

/** Removes the output of sources that no longer exist. */
const sweep = (folder, prefix) => ({
  name: 'sweep',
  writeBundle(_, bundle) {
    for (const ending of ['.js', '.cjs']) {
      const made = below(folder, ending).map(file => `${file}${ending}`)
      for (const file of made.filter(
        each => !ENTRIES_OF_COMMAND.includes(each.replace(/\.cjs$/, '')) && !(`${prefix}${each}` in bundle),
      )) {
        rmSync(`${folder}/${file}`)
      }
    }
  },
})

const partsOfCommand = below('cli', '.ts').filter(
  part => !/^(commands\/|os-ipc(-win)?$|run\/(child|plan|redis|postgres|spawn|windows))/.test(part),
)

/** The parts that the tests import. */
const parts = ['lib/addon/native', 'lib/lock/manager']

// `Disposable` is not in the `lib: es2022` of many users.
const banner = '/// <reference lib="esnext.disposable" />\n/// <reference types="node" />'

/** The types of an ES module are those of the CommonJS module, because the classes are the same. */
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
    plugins: [
      withoutComments,
      modulesOfNode,
      namedExports(name => name.startsWith('lib/')),
      lateChannel,
      sweep('lib', 'lib/'),
    ],
  },
  {
    input: {
      'spawn-thread': `${CODE}/cli/run/spawn-thread.js`,
      ...Object.fromEntries(partsOfCommand.map(part => [part, `${CODE}/cli/${part}.js`])),
    },
    output: {
      dir: 'cli',
      format: 'cjs',
      entryFileNames: '[name].cjs',
      chunkFileNames: '[name].cjs',
      manualChunks: partOfCommand,
      minifyInternalExports: false,
      esModule: false,
      interop: 'esModule',
      hoistTransitiveImports: false,
      dynamicImportInCjs: false,
      paths: inPackage,
    },
    preserveEntrySignatures: 'strict',
    external: id => /^node:/.test(id) || inPackage(id) !== undefined,
    plugins: [
      withoutComments,
      ownAddress,
      namedExports(name => name !== 'spawn-thread', { some: true }),
      entryOfCommand,
      sweep('cli', ''),
    ],
  },
  ...ENTRIES.map(name => ({
    input: `${TYPES}/${name}.d.ts`,
    output: { file: `${name}.d.cts`, format: 'es', banner },
    // Declarations that use the addon's types are not part of the API, and are left out.
    external: /native\.cjs$/,
    plugins: [...(name === 'index' ? [] : [fromMain]), dts(), forModules(name)],
  })),
]
