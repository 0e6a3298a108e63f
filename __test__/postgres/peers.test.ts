// The peer of os-ipc/postgres: nothing else loads it, and where it is missing the error has the command that installs it.

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { program } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { project, write } from '../shared/project.ts'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** The output of this code in a project with os-ipc, with or without pg. */
async function run(t: ExecutionContext, code: string, withPeer: boolean, node = process.execPath) {
  const home = project(t)
  if (withPeer) symlinkSync(join(modules, 'pg'), join(home, 'node_modules/pg'))
  const main = write(join(home, 'main.mjs'), code)
  // In the project's folder, because the package looks for its peer in the working directory too.
  const {
    code: status,
    stdout,
    stderr,
  } = await program(t, ['sh', '-c', 'cd "$1" && exec "$2" "$3"', 'sh', home, node, main], {
    env: { NODE_OPTIONS: undefined },
  }).exit
  t.is(status, 0, stderr)
  return stdout
}

const IMPORT = `
try {
  const { PostgresLocks } = await import('os-ipc/postgres')
  console.log(typeof PostgresLocks.connect)
} catch ({ name, code, message, hint }) {
  console.log(name, code, message)
  console.log(hint)
}`

for (const { major, path } of nodes) {
  test(`with pg os-ipc/postgres can be imported on Node ${major}`, async t => {
    t.is(await run(t, IMPORT, true, path), 'function\n')
  })
}

test('without pg the error has the command that installs it', async t => {
  const said = await run(t, IMPORT, false)
  t.is(
    said,
    'IpcError ERR_MISSING_PEER os-ipc/postgres needs the package pg: npm install pg@8\nnpm install pg@8\n',
  )
})

test('os-ipc and os-ipc/testing load neither pg nor os-ipc/postgres, which loads no addon', async t => {
  const code = (imported: string) => `
    import { createRequire } from 'node:module'
    ${imported}
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    console.log(loaded.filter(file => /[/]pg[/]|postgres[/.]/.test(file)).length, loaded.some(file => /[.]node$/.test(file)))`
  t.is(await run(t, code("import 'os-ipc'; import 'os-ipc/testing'"), true), '0 true\n')
  t.regex(await run(t, code("import 'os-ipc/postgres'"), true), /^[1-9]\d* false\n$/)
})

test('it can be required', async t => {
  const code = `
    import { createRequire } from 'node:module'
    console.log(Object.keys(createRequire(import.meta.url)('os-ipc/postgres')).join())`
  t.is(await run(t, code, true), 'PostgresLocks\n')
})
