// Behaviour that all commands share: help, mistakes, colours, a reader that goes away, and the page that describes them.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import test from 'ava'

import { COMMANDS } from '../../cli/commands.js'
import { closest } from '../../.cache/built/lib/closest.js'
import { cliPage } from '../../scripts/docs/cli.mjs'
import { cli, inTerminal, OS_IPC, osIpc, shell, terminals } from './helpers/cli.ts'
import { uniqueName } from '../shared/names.ts'
import { nodes } from '../shared/nodes.ts'
import { linux, requires } from '../shared/requires.ts'
import { Semaphore, SharedMemory } from '../../index.js'

const page = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8')

/** The single line of an error. */
function oneLine(stderr: string): string {
  return /^os-ipc: [^\n]+\n$/.test(stderr) ? stderr.trimEnd() : `not one line: ${stderr}`
}

test('without a command it lists the commands and exits with the code of a wrong command line', async t => {
  const { code, stdout, stderr } = await cli(t, [])
  t.is(code, 2)
  t.is(stdout, '')
  for (const { name, summary } of COMMANDS)
    t.true(stderr.includes(`  ${name} `) && stderr.includes(summary), name)
})

test('--help, -h and help print the same text on standard output', async t => {
  const { stdout } = await cli(t, ['--help'])
  t.regex(stdout, /^Usage: os-ipc COMMAND/)
  t.like(await cli(t, ['-h']), { code: 0, stdout, stderr: '' })
  t.like(await cli(t, ['help']), { code: 0, stdout, stderr: '' })
})

test('--version prints the version of package.json', async t => {
  t.like(await cli(t, ['--version']), { code: 0, stdout: `${JSON.parse(page('package.json')).version}\n` })
})

for (const entry of COMMANDS) {
  test(`${entry.name} --help names every option and exit code, and needs no addon`, async t => {
    const command = await entry.load()
    t.is(command.name, entry.name)
    const { code, stdout, stderr } = await cli(t, [entry.name, '--help'], { nodeArgs: ['--no-addons'] })
    t.like({ code, stderr }, { code: 0, stderr: '' })
    t.true(stdout.startsWith(`Usage: os-ipc ${entry.name}`))
    for (const [option, { help }] of Object.entries(command.options)) {
      t.true(stdout.includes(`--${option}`) && stdout.includes(help), option)
    }
    for (const [exit] of command.exits) t.true(stdout.includes(`  ${exit} `), exit)
    t.true(command.exits.length > 0 && command.examples.length > 0)
    t.is((await cli(t, ['help', entry.name])).stdout, stdout)
  })
}

test('docs/cli.md is generated from the help of the commands', async t => {
  t.is(page('docs/cli.md'), await cliPage())
})

for (const { args, code, says } of [
  { args: ['lst'], code: 2, says: "there is no command 'lst'; did you mean ls?" },
  { args: ['frobnicate'], code: 2, says: "there is no command 'frobnicate'; os-ipc --help shows all" },
  {
    args: ['--jsno'],
    code: 2,
    says: 'there is no option --jsno before the command; os-ipc --help shows all',
  },
  { args: ['ls', '--jsno'], code: 2, says: 'ls has no option --jsno; did you mean --json?' },
  { args: ['ls', '--zzzzzz'], code: 2, says: 'ls has no option --zzzzzz; os-ipc ls --help shows all' },
  {
    args: ['ls', '--json=yes'],
    code: 2,
    says: "--json takes no value, but got 'yes'; os-ipc ls --help shows all",
  },
  {
    args: ['wait', 'x', '--timeout'],
    code: 2,
    says: '--timeout needs a value: --timeout S; os-ipc wait --help shows all',
  },
  {
    args: ['wait', 'x', '-t', 'soon'],
    code: 2,
    says: "-t needs seconds, not 'soon'; for example 5, 0.5, 500ms, 2m",
  },
  { args: ['value'], code: 2, says: 'value needs a semaphore; os-ipc value [OPTIONS] NAME' },
  { args: ['value', ''], code: 2, says: 'NAME is empty; os-ipc value [OPTIONS] NAME' },
  { args: ['value', 'a', 'b'], code: 2, says: "unexpected argument 'b'; os-ipc value [OPTIONS] NAME" },
  { args: ['value', '/a/b'], code: 2, says: "a name has no slash but the first: '/a/b'" },
  {
    args: ['value', '99999999999'],
    code: 2,
    says: '99999999999 is not a System V key: a key has 32 bits; a name of digits is written /99999999999',
  },
  {
    args: ['create', 'x'],
    code: 2,
    says: 'create needs one of --initial N for a semaphore, --permits N for a limit, --size BYTES for memory and --capacity BYTES for a channel',
  },
  {
    args: ['create', 'x', '-n', '40000'],
    code: 2,
    says: 'initial must be an integer from 0 to 32767, received 40000',
  },
  {
    args: ['create', 'x', '--size', '4q'],
    code: 2,
    says: "--size needs a number of bytes, not '4q'; for example 4096, 0x1000, 4k, 16M",
  },
  {
    args: ['create', 'x', '-n', '1', '--mode', 'rw'],
    code: 2,
    says: "--mode needs permission bits in octal, not 'rw'; for example 600 or 660",
  },
  {
    args: ['post', 'x', '--owner', 'bob'],
    code: 2,
    says: "--owner needs a uid or 'any', not 'bob'; id -u NAME prints the uid of a user",
  },
  {
    args: ['run', 'jobs', 'make', '-j4', 'all'],
    code: 125,
    says: 'run needs a command after --; os-ipc run jobs -- make -j4 all',
  },
  {
    args: ['run', 'jobs', '--'],
    code: 125,
    says: 'run needs a command after --; os-ipc run jobs -- COMMAND...',
  },
  {
    args: ['run', '--', 'make'],
    code: 125,
    says: 'run needs a limit, created if it does not exist; os-ipc run [OPTIONS] NAME -- COMMAND...',
  },
  {
    args: ['top', '--sort', 'waitres'],
    code: 2,
    says: "--sort needs a column, not 'waitres'; did you mean waiters?",
  },
  { args: ['completion', 'bsh'], code: 2, says: "there is no completion for 'bsh'; did you mean bash?" },
] as const) {
  test(`os-ipc ${args.map(text => text || "''").join(' ')} says in one line what is wrong`, async t => {
    const exit = await cli(t, args)
    t.is(oneLine(exit.stderr), `os-ipc: ${says}`)
    t.like(exit, { code, stdout: '' })
  })
}

test('a suggestion is found by similar letters and by a common beginning', t => {
  const known = ['/jobs', '/jobs-urgent', '/frames']
  t.is(closest('/jbos', known), '/jobs')
  t.is(closest('/JOBS', known), '/jobs')
  t.is(closest('/fra', known), '/frames')
  t.is(closest('/jobs-', known), '/jobs')
  t.is(closest('/zebra', known), undefined)
  t.is(closest('/x', known), undefined)
})

test('when the addon does not load, a command says so in one line, and doctor shows the reason', async t => {
  const nodeArgs = ['--no-addons']
  const listed = await cli(t, ['ls'], { nodeArgs })
  t.is(listed.code, 5)
  t.regex(oneLine(listed.stderr), /Start Node without --no-addons.*os-ipc doctor examines it/)
  for (const args of [['top'], ['show', '/nothing'], ['rm', '/nothing'], ['doctor', '--json']]) {
    const { stdout, stderr, code } = await cli(t, args, { nodeArgs })
    t.regex(stdout + stderr, /--no-addons/, args[0])
    t.not(code, 0, args[0])
  }
  const examined = await cli(t, ['doctor'], { nodeArgs })
  t.is(examined.code, 1)
  t.regex(examined.stdout, /^problem {2}native binding: .*--no-addons/)
})

for (const node of nodes) {
  test(`the command works on Node ${node.major}`, async t => {
    const name = uniqueName(t)
    const options = { node: node.path }
    t.like(await cli(t, ['create', name, '-p', 2], options), { code: 0, stdout: '', stderr: '' })
    const ran = await cli(t, ['run', name, '--', process.execPath, OS_IPC, 'limit', name], options)
    t.like(ran, { code: 0, stderr: '' })
    t.regex(ran.stdout, /^permits {2}2\nfree {5}1$/m)
    t.like(await cli(t, ['rm', name], options), { code: 0, stdout: '', stderr: '' })
  })
}

requires(linux)('an error of the output is reported in one line', async t => {
  const name = uniqueName(t)
  SharedMemory.create(name, { size: 3 << 20 })
  for (const command of ['ls', `read ${name}`, 'top --count 2 --interval 50ms', 'key jobs', '--help']) {
    t.like(await shell(t, `os-ipc ${command} > /dev/full`), {
      code: 5,
      stderr: 'os-ipc: the output cannot be written: no space left on device (ENOSPC)\n',
    })
  }
  t.like(await shell(t, 'os-ipc no-such-command 2> /dev/full'), { code: 2, stderr: '' })
})

test('a command ends without a message when its reader goes away', async t => {
  const name = uniqueName(t)
  t.is((await cli(t, ['create', name, '--size', '8M'])).code, 0)
  const { code, stdout, stderr } = await shell(t, `set -o pipefail; os-ipc read ${name} | head -c 1 | wc -c`)
  t.like({ code, stdout: stdout.trim(), stderr }, { code: 141, stdout: '1', stderr: '' })
  const listed = await shell(t, 'os-ipc top --interval 50ms | head -1')
  t.regex(listed.stdout, /^os-ipc top/)
  t.is(listed.stderr, '')
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
const ESCAPE = /\u001b/

test('output without a terminal is plain unless FORCE_COLOR is set', async t => {
  t.notRegex((await cli(t, ['--help'])).stdout, ESCAPE)
  t.regex((await cli(t, ['--help'], { env: { FORCE_COLOR: '1' } })).stdout, ESCAPE)
})

requires(terminals)('output is coloured on a terminal, and plain with NO_COLOR or a dumb one', async t => {
  t.regex((await inTerminal(t, osIpc('--help'), [])).output, ESCAPE)
  t.notRegex((await inTerminal(t, osIpc('--help'), [], { env: { NO_COLOR: '1' } })).output, ESCAPE)
  t.notRegex((await inTerminal(t, osIpc('--help'), [], { env: { TERM: 'dumb' } })).output, ESCAPE)
})

test('a name cannot move the cursor', async t => {
  const name = `${uniqueName(t)}\u001b[31m\n\u202e`
  const semaphore = Semaphore.create(name, { initial: 1 })
  t.teardown(() => semaphore.unlink())
  const shown = `${name.slice(0, -7)}\\x1b[31m\\x0a\\u202e`
  const { stdout } = await cli(t, ['ls', '-s'])
  t.true(stdout.includes(` ${shown} `))
  t.notRegex(stdout, ESCAPE)
  const { stderr } = await cli(t, ['read', name])
  t.is(
    oneLine(stderr),
    `os-ipc: there is no memory ${shown}; a semaphore has this name: os-ipc value ${shown}`,
  )
})
