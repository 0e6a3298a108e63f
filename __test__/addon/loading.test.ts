// Where the addon does not load, the package loads, and the first call throws the reason and the remedy.

import { copyFileSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import test, { type ExecutionContext } from 'ava'

import { program } from '../shared/child.ts'
import { nodes } from '../shared/nodes.ts'
import { npmTool } from '../shared/npm-tools.ts'
import { binary, bytes, platform, project, write } from '../shared/project.ts'
import { linux, requires } from '../shared/requires.ts'
import { type Surroundings, withoutExecution } from '../shared/surroundings.ts'

const LOAD = fileURLToPath(new URL('fixtures/load.mjs', import.meta.url))
const LOAD_NOTHING = fileURLToPath(new URL('fixtures/load-nothing.cjs', import.meta.url))
/** Other platforms than this one: with another system, and with another C library where a system has several. */
const OTHERS = [
  platform === 'darwin-arm64' ? 'linux-x64-gnu' : 'darwin-arm64',
  platform.endsWith('gnu') ? platform.replace('gnu', 'musl') : 'linux-x64-gnu',
]

interface Loaded {
  loaded?: boolean
  name?: string
  code?: string
  message?: string
  hint?: string
  cause?: string
  supported?: boolean
  reason?: string
  at?: boolean
}

interface LoadedNothing {
  ends: Record<string, unknown[]>
  misuse: string
  same: boolean
  permit: string
  capabilities: { reason: string }
}

interface LoadOptions {
  /** The command that runs the program; Node when missing. */
  command?: readonly string[]
  env?: Record<string, string>
  within?: readonly Surroundings[]
}

async function load(
  t: ExecutionContext,
  home: string,
  { command = [process.execPath], env = {}, within = [] }: LoadOptions = {},
): Promise<Loaded> {
  const main = join(home, 'main.mjs')
  copyFileSync(LOAD, main)
  const loading = program(t, [...command, main], { env: { NODE_OPTIONS: undefined, ...env }, within })
  const said = (await loading.next()) as Loaded
  t.is((await loading.exit).code, 0)
  return said
}

/** A file to load first, after which `process` has these properties. */
function pretend(home: string, properties: Record<string, string>): string {
  return write(
    join(home, 'pretend.cjs'),
    `for (const [key, value] of ${JSON.stringify(Object.entries(properties))}) Object.defineProperty(process, key, { value })`,
  )
}

/** Asserts on the two sentences, and on the properties of every such error. */
function explains(t: ExecutionContext, error: Loaded, cause: RegExp, cure: RegExp): void {
  t.like(error, { name: 'IpcError', code: 'ERR_NATIVE_BINDING' })
  t.regex(error.message ?? '', cause)
  t.regex(error.message ?? '', cure)
  t.regex(error.hint ?? '', cure)
  t.regex(error.hint ?? '', /^[A-Z][^\n]*\.$/)
  t.true(error.message?.endsWith(` ${error.hint}`))
  t.truthy(error.cause)
  t.like(error, { supported: false, reason: error.message ?? '', at: true })
}

for (const { major, path } of nodes) {
  test(`it loads from a platform package on Node ${major}`, async t => {
    t.deepEqual(await load(t, project(t), { command: [path] }), { loaded: true })
  })
}

test('the error names optional dependencies that were left out', async t => {
  const error = await load(t, project(t, {}))
  explains(
    t,
    error,
    new RegExp(`The package os-ipc-${platform}, .* is not installed\\.`),
    /--include=optional/,
  )
})

test('the error names a Node that is too old, for which npm leaves out the optional dependencies', async t => {
  const home = project(t, {})
  const command = [process.execPath, '--require', pretend(home, { version: 'v20.20.2' })]
  const error = await load(t, home, { command })
  explains(t, error, /needs Node\.js 22\.12 or later, and this is v20\.20\.2\./, /newer Node\.js/)
  const oldest = [process.execPath, '--require', pretend(home, { version: 'v22.12.0' })]
  explains(t, await load(t, home, { command: oldest }), /is not installed\./, /--include=optional/)
})

for (const other of new Set(OTHERS)) {
  test(`the error names node_modules of another platform, ${other}`, async t => {
    const error = await load(t, project(t, { [other]: bytes() }))
    explains(
      t,
      error,
      new RegExp(`another platform: it has os-ipc-${other}, and this is ${platform}\\.`),
      /npm ci/,
    )
  })
}

test('the error distinguishes a damaged binary from a missing one', async t => {
  for (const damaged of [Buffer.alloc(0), Buffer.from('<html>404</html>'), bytes().fill(0, 0, 64)]) {
    const error = await load(t, project(t, { [platform]: damaged }))
    explains(t, error, /does not load, and may be damaged: .*\./, /install again/)
  }
})

for (const { major, path } of nodes) {
  requires(linux)(`a truncated binary is an error, and does not end Node ${major}`, async t => {
    const half = bytes().subarray(0, bytes().length >> 1)
    const error = await load(t, project(t, { [platform]: half }), { command: [path] })
    explains(t, error, /does not load, and may be damaged: .* is cut short\./, /install again/)
  })
}

requires(linux)('a binary without its last byte, or with only its header, counts as truncated', async t => {
  const home = project(t)
  for (const size of [64, bytes().length - 1]) {
    write(join(home, 'node_modules', `os-ipc-${platform}`, binary), bytes().subarray(0, size))
    explains(t, await load(t, home), /is cut short\./, /install again/)
  }
})

test('the error distinguishes a platform package without its binary from a missing one', async t => {
  const home = project(t)
  rmSync(join(home, 'node_modules', `os-ipc-${platform}`, binary))
  explains(t, await load(t, home), /its package is installed, and lacks the file\./, /install again/)
})

requires(withoutExecution(tmpdir()))('the error names a folder whose files may not be executed', async t => {
  const home = project(t)
  const error = await load(t, home, { within: [withoutExecution(home)] })
  explains(
    t,
    error,
    new RegExp(`execute the binary of os-ipc in its folder: ${home}/.*\\.node\\.`),
    /not mounted noexec/,
  )
})

for (const [title, path, cause] of [
  [
    'that does not exist',
    '/nowhere/os-ipc.node',
    /names a file that does not exist: \/nowhere\/os-ipc\.node\./,
  ],
  ['that is not an addon', LOAD, /The file that NAPI_RS_NATIVE_LIBRARY_PATH names does not load: .*\./],
] as const) {
  test(`the error names NAPI_RS_NATIVE_LIBRARY_PATH with a file ${title}`, async t => {
    const error = await load(t, project(t), { env: { NAPI_RS_NATIVE_LIBRARY_PATH: path } })
    explains(t, error, cause, /Unset it/)
  })
}

requires(linux)('the error names a C library that is too old, and the needed version', async t => {
  // The versions for which the loader looks, all replaced by future ones.
  const future = Buffer.from(bytes().toString('latin1').replaceAll('GLIBC_2.', 'GLIBC_9.'), 'latin1')
  const error = await load(t, project(t, { [platform]: future }))
  explains(t, error, /too old for the binary of os-ipc: it needs GLIBC 9\.\d+\./, /newer system/)
})

test('the error names the function that a binary of another version lacks', async t => {
  const home = project(t)
  const loader = join(home, 'node_modules/os-ipc/native.cjs')
  const names = readFileSync(loader, 'utf8')
  write(loader, `${names}\nmodule.exports.ofTheNextVersion = nativeBinding.ofTheNextVersion\n`)
  const cause = /does not fit this package: .* version differs .* no function ofTheNextVersion\./
  explains(t, await load(t, home), cause, /one version/)
})

test('without an addon every export exists: promises reject, other calls throw', async t => {
  const home = project(t)
  copyFileSync(LOAD_NOTHING, join(home, 'main.cjs'))
  const command = [
    process.execPath,
    '--require',
    pretend(home, { platform: 'win32', arch: 'ia32' }),
    join(home, 'main.cjs'),
  ]
  const running = program(t, command, { env: { NODE_OPTIONS: undefined } })
  const { ends, misuse, same, permit, capabilities } = (await running.next()) as LoadedNothing
  t.is((await running.exit).code, 0)
  for (const [call, end] of Object.entries(ends)) {
    const how = /request|query/.test(call) ? 'rejects' : 'throws'
    t.deepEqual(
      end,
      [how, 'ERR_NATIVE_BINDING', true, capabilities.reason.split('. ').slice(1).join('. ')],
      call,
    )
  }
  t.is(misuse, 'ERR_INVALID_ARG_TYPE')
  t.true(same)
  t.is(permit, 'function')
  const nothing = { sysv: false, posix: false }
  t.like(capabilities, {
    ...{
      supported: false,
      platform: 'win32-ia32',
      semaphoreBackends: [],
      persistent: false,
      list: false,
      externalBuffers: false,
      sharedBuffers: false,
    },
    ...{ timedWait: nothing, value: nothing, unlinkWakes: nothing },
    limits: { engines: [], default: undefined, crashRecovery: false },
  })
  t.regex(capabilities.reason, /not on win32-ia32\. .*x64 or arm64/)
})

test('the error distinguishes a bundle without the addon from a missing binary', async t => {
  const home = project(t)
  rmSync(join(home, 'node_modules/os-ipc/native.cjs'))
  explains(t, await load(t, home), /is inside a bundle/, /Declare os-ipc as external/)
})

for (const [platform, arch, cure] of [
  ['win32', 'ia32', /x64 or arm64/],
  ['freebsd', 'x64', /socket/],
  ['linux', 'riscv64', /socket/],
] as const) {
  test(`${platform}-${arch} gets an error with an alternative`, async t => {
    const home = project(t)
    const command = [process.execPath, '--require', pretend(home, { platform, arch })]
    const error = await load(t, home, { command })
    explains(t, error, new RegExp(`not on ${platform}-${arch}\\.`), cure)
  })
}

for (const arch of ['x64', 'arm64']) {
  test(`on win32-${arch} the error names the package that was left out, or that of the other platform`, async t => {
    for (const [binaries, cause, cure] of [
      [{}, new RegExp(`The package os-ipc-win32-${arch}-msvc, .* is not installed\\.`), /--include=optional/],
      [{ 'linux-x64-gnu': bytes() }, /it has os-ipc-linux-x64-gnu, and this is win32-.*-msvc\./, /npm ci/],
    ] as const) {
      const home = project(t, binaries)
      const command = [process.execPath, '--require', pretend(home, { platform: 'win32', arch })]
      explains(t, await load(t, home, { command }), cause, cure)
    }
  })
}

test("the Node.js of MSYS2 gets an error that names Node.js' own", async t => {
  const home = project(t, {})
  const preload = pretend(home, { platform: 'win32', arch: 'x64' })
  const config =
    "Object.defineProperty(process, 'config', { value: { variables: { shlib_suffix: 'dll.a' } } })"
  write(preload, `${readFileSync(preload, 'utf8')}\n${config}`)
  const error = await load(t, home, { command: [process.execPath, '--require', preload] })
  explains(t, error, /no binary for the Node\.js of MSYS2\./, /nodejs\.org/)
})

for (const { major, path } of nodes) {
  const permission = major === 22 ? '--experimental-permission' : '--permission'
  test(`Node ${major} with ${permission} gets an error that names --allow-addons`, async t => {
    const home = project(t)
    const command = [path, '--no-warnings', permission, '--allow-fs-read=*']
    explains(t, await load(t, home, { command }), /\(--permission\) does not allow addons/, /--allow-addons/)
    t.deepEqual(await load(t, home, { command: [...command, '--allow-addons'] }), { loaded: true })
  })

  test(`Node ${major} with --no-addons gets an error that names it`, async t => {
    explains(
      t,
      await load(t, project(t), { command: [path, '--no-addons'] }),
      /--no-addons/,
      /without --no-addons/,
    )
  })
}

test('the error distinguishes an unreadable binary from a missing one', async t => {
  const home = project(t)
  const readable = ['main.mjs', 'node_modules/os-ipc/']
  const command = [
    process.execPath,
    '--permission',
    '--allow-addons',
    ...readable.map(path => `--allow-fs-read=${join(home, path)}`),
  ]
  explains(t, await load(t, home, { command }), /let the addon of os-ipc be read/, /--allow-fs-read/)
})

const deno = npmTool('deno')
for (const missing of ['--allow-ffi', '--allow-read', '--allow-env']) {
  requires(deno)(`Deno without ${missing} gets an error that names it`, async t => {
    const home = project(t)
    const run = [deno.path, 'run', '--no-prompt']
    const allowed = ['--allow-ffi', '--allow-read', '--allow-env']
    const command = [...run, ...allowed.filter(flag => flag !== missing)]
    explains(
      t,
      await load(t, home, { command }),
      new RegExp(`Deno did not allow .*: ${missing} is missing`),
      /--allow-ffi/,
    )
    t.deepEqual(await load(t, home, { command: [...run, ...allowed] }), { loaded: true })
  })
}

test('the tests load the binary of this platform', t => {
  t.is(binary, `os-ipc.${platform}.node`)
})
