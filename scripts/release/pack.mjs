// The packages as npm gets them: `npm run pack [-- FOLDER]` writes a tarball for the package and for each platform whose
// binary was built. The tests install exactly these files, and exactly these are published. A binary is the newest one of
// `npm run build:all` and, for this platform, `npm run build`. Without any binary it fails.
//
// The package's `optionalDependencies` are added here and are not in the repository: there, `npm ci` would ask for versions
// that are not published yet, and would install a stranger's package of the same name.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

import { fail, output, root } from '../run.mjs'
import { targets } from '../cross/targets.mjs'

/** The fields of package.json for users; the others are for people who work on the package. */
const PUBLIC = [
  ...[
    'name',
    'version',
    'description',
    'keywords',
    'license',
    'author',
    'funding',
    'homepage',
    'bugs',
    'repository',
  ],
  ...[
    'type',
    'engines',
    'exports',
    'main',
    'types',
    'bin',
    'files',
    'peerDependencies',
    'peerDependenciesMeta',
  ],
]
const TEXTS = ['README.md', 'CHANGELOG.md', 'LICENSE']

/** Writes the tarballs into `folder` and returns npm's report of each: name, version, files, sizes. */
export function pack(folder, { platforms = built() } = {}) {
  needBinaries(platforms)
  const stage = join(folder, 'stage')
  rmSync(stage, { recursive: true, force: true })
  const folders = [stageRoot(join(stage, 'os-ipc')), ...platforms.map(target => stagePlatform(target, stage))]
  const reports = folders.map(packed => {
    const report = output('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, packed])
    if (report === undefined) fail(`npm pack ${packed} failed`)
    const [{ name, version, filename, size, unpackedSize, files }] = Object.values(JSON.parse(report))
    return { name, version, file: join(folder, filename), size, unpackedSize, files }
  })
  rmSync(stage, { recursive: true, force: true })
  return reports
}

/** Fails where a binary is missing: a package without a binary would fail for its users. */
function needBinaries(platforms) {
  if (platforms.length === 0) {
    fail(
      'there is no binary to pack: `npm run build` for this platform, or `npm run build:all` for all of them',
    )
  }
  const missing = platforms.find(target => binaryOf(target) === undefined)
  if (missing) fail(`there is no binary of ${missing.name} to pack: \`npm run build:all -- ${missing.name}\``)
}

/** The platforms that have a binary. */
function built() {
  return targets.filter(target => binaryOf(target) !== undefined)
}

/** The binary that was built last: by `npm run build:all`, or by `npm run build` for this platform. */
function binaryOf({ path, file }) {
  const there = [path, join(root, file)].filter(each => existsSync(each))
  return there.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs)[0]
}

function stageRoot(folder) {
  const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  for (const pattern of [...manifest.files, ...TEXTS]) {
    for (const file of matching(pattern)) cpSync(join(root, file), join(folder, file))
  }
  const shown = Object.fromEntries(PUBLIC.filter(key => key in manifest).map(key => [key, manifest[key]]))
  const optionalDependencies = Object.fromEntries(
    targets.map(({ name }) => [`os-ipc-${name}`, manifest.version]),
  )
  write(join(folder, 'package.json'), { ...shown, optionalDependencies })
  return folder
}

/** The files of a pattern: a file, `folder/*.ending`, or `folder/**\/*.ending` for all files below. */
function matching(pattern) {
  const [, folder, below, ending] = /^(.*?)(\/\*\*)?\/\*([^*]+)$/.exec(pattern) ?? []
  if (ending === undefined) return [pattern]
  return readdirSync(join(root, folder), { recursive: below !== undefined })
    .filter(file => file.endsWith(ending))
    .map(file => `${folder}/${file}`)
}

function stagePlatform(target, stage) {
  const folder = join(stage, target.name)
  cpSync(target.folder, folder, { recursive: true })
  cpSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
  cpSync(binaryOf(target), join(folder, target.file))
  return folder
}

function write(file, value) {
  writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = resolve(process.argv[2] ?? join(root, '.cache', 'packages'))
  needBinaries(built())
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  for (const { name } of targets.filter(target => binaryOf(target) === undefined)) {
    console.log(`os-ipc: no binary of ${name}: npm run build:all -- ${name}`)
  }
  for (const { file, size } of pack(folder)) console.log(`${file} ${(size / 1024).toFixed(0)} KB`)
}
