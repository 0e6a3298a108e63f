// `npm run test:installed -- FOLDER`: installs the tarballs of `npm run pack -- FOLDER` into an empty project, as a user of
// this platform does, and runs the conformance suite there. It needs Node and npm, and no build.

import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

import { conform } from '../test/conformance.mjs'
import { attempt, fail, projectEnv } from '../run.mjs'

const [folder] = process.argv.slice(2)
if (!folder) fail('which folder? `npm run test:installed -- FOLDER`', 2)
const files = readdirSync(folder).filter(file => file.endsWith('.tgz'))
const main = files.find(file => /^os-ipc-\d/.test(file))
if (!main) fail(`${folder} has no tarball of os-ipc: npm run pack -- ${folder}`, 2)

const project = mkdtempSync(join(tmpdir(), 'os-ipc-'))
try {
  const at = file => `file:${resolve(folder, file)}`
  const platforms = files.filter(file => file !== main)
  const manifest = {
    private: true,
    dependencies: { 'os-ipc': at(main) },
    // npm leaves out the packages of other platforms, as it does for users.
    optionalDependencies: Object.fromEntries(platforms.map(file => [file.replace(/-\d.*$/, ''), at(file)])),
  }
  writeFileSync(join(project, 'package.json'), JSON.stringify(manifest))
  const args = ['install', '--offline', '--no-audit', '--no-fund', '--loglevel=error']
  // npm leaves out packages that do not support the Node that runs npm.
  const problem = attempt('npm', args, { cwd: project, env: projectEnv })
  if (problem) fail(`npm install: ${problem}`)
  const modules = join(project, 'node_modules')
  console.log(
    `# installed: ${readdirSync(modules)
      .filter(name => name.startsWith('os-ipc'))
      .join(', ')}`,
  )
  const env = { OS_IPC_PACKAGE: join(modules, 'os-ipc') }
  const failed = conform(
    `installed, ${process.platform}-${process.arch} ${process.version}`,
    [process.execPath],
    { env },
  )
  process.exitCode = failed === 0 ? 0 : 1
} finally {
  rmSync(project, { recursive: true, force: true })
}
