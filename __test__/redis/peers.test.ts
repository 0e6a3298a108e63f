// The peers of os-ipc/redis: no other entry loads them, and the error for a missing peer names the command that installs it.

import { cpSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { program } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { project, write } from '../shared/project.ts'

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url))

/** The output of this code in a project that has os-ipc and these of its peers. */
async function run(t: ExecutionContext, code: string, peers: readonly string[], node = process.execPath) {
  const home = project(t)
  for (const peer of peers) symlinkSync(join(modules, peer), join(home, 'node_modules', peer))
  // The target of a link finds its own dependencies; the package itself must not find them there.
  const main = write(join(home, 'main.mjs'), code)
  const {
    code: status,
    stdout,
    stderr,
  } = await program(t, [node, main], { env: { NODE_OPTIONS: undefined } }).exit
  t.is(status, 0, stderr)
  return stdout
}

const IMPORT = `
try {
  const { RedisLimit } = await import('os-ipc/redis')
  console.log(typeof RedisLimit.connect)
} catch ({ name, code, message, hint }) {
  console.log(name, code, message)
  console.log(hint)
}`

for (const { major, path } of nodes) {
  test(`with both peers os-ipc/redis can be imported on Node ${major}`, async t => {
    t.is(await run(t, IMPORT, ['redis-semaphore', 'ioredis'], path), 'function\n')
  })
}

for (const [peers, missing] of [
  [[], 'redis-semaphore'],
  [['ioredis'], 'redis-semaphore'],
  [['redis-semaphore'], 'ioredis'],
] as const) {
  test(`without ${missing}, with ${peers.join() || 'nothing'}, the error says which command installs it`, async t => {
    const said = await run(t, IMPORT, peers)
    t.regex(
      said,
      new RegExp(`^IpcError ERR_MISSING_PEER os-ipc/redis needs the package ${missing}: npm install `),
    )
    t.regex(said, /\nnpm install redis-semaphore@5 ioredis@6\n$/)
  })
}

test('an installed but broken peer is not reported as missing', async t => {
  const home = project(t)
  cpSync(join(modules, 'ioredis'), join(home, 'node_modules/ioredis'), { recursive: true })
  write(join(home, 'node_modules/redis-semaphore/package.json'), '{ "main": "main.js" }')
  write(join(home, 'node_modules/redis-semaphore/main.js'), "require('of-its-own')")
  const main = write(join(home, 'main.mjs'), IMPORT)
  const { stdout } = await program(t, [process.execPath, main], { env: { NODE_OPTIONS: undefined } }).exit
  t.regex(stdout, /^Error MODULE_NOT_FOUND Cannot find module 'of-its-own'/)
})

test('os-ipc and os-ipc/testing need and load no peer', async t => {
  const code = `
    import { createRequire } from 'node:module'
    import 'os-ipc'
    import 'os-ipc/testing'
    const loaded = Object.keys(createRequire(import.meta.url).cache)
    console.log(loaded.some(file => file.includes('os-ipc')), loaded.filter(file => /redis/.test(file)).length)`
  t.is(await run(t, code, []), 'true 0\n')
  t.is(await run(t, code, ['redis-semaphore', 'ioredis']), 'true 0\n')
})

test('os-ipc/testing runs without the addon, and os-ipc/redis too', async t => {
  const code = `
    import { permitSourceCases } from 'os-ipc/testing'
    import { RedisLimit } from 'os-ipc/redis'
    import { createRequire } from 'node:module'
    console.log(permitSourceCases({ create() {}, open() {} }).length > 30, typeof RedisLimit.over)
    console.log(Object.keys(createRequire(import.meta.url).cache).filter(file => /native|[.]node$/.test(file)).length)`
  t.is(await run(t, code, ['redis-semaphore', 'ioredis']), 'true function\n0\n')
})

test('os-ipc/redis and os-ipc/testing can be required', async t => {
  const code = `
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.url)
    console.log(Object.keys(require('os-ipc/redis')).join(), Object.keys(require('os-ipc/testing')).join())`
  const said = await run(t, code, ['redis-semaphore', 'ioredis'])
  t.is(said, 'RedisLimit,RedisPermit permitSourceCases,testPermitSource\n')
})
