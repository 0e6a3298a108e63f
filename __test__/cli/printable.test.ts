// Text of other users (names, programs, contents) never reaches a terminal unescaped, whichever command shows it.

import { existsSync } from 'node:fs'
import { join } from 'node:path'

import test, { type ExecutionContext } from 'ava'

import {
  cutMiddle,
  cutPainted,
  printable,
  printableJson,
  styled,
  width,
  withoutStyle,
  written,
} from '../../cli/core/text.js'
import { sentence } from '../../cli/core/failure.js'
import { frame, type plainFrame } from '../../cli/top/frame.js'
import { initialState } from '../../cli/top/state.js'
import { COLUMNS } from '../../cli/top/columns.js'
import { Semaphore, SharedMemory } from '../../index.js'
import { cli, inTerminal, installed, installedShell, json, osIpc, terminals } from './helpers/cli.ts'
import { program } from '../shared/child.ts'
import { keyOf, removeKey, uniqueName } from '../shared/names.ts'
import { folder, write } from '../shared/project.ts'
import { linux, requires, tool } from '../shared/requires.ts'
import { asUser } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

/** The uid of another user, which no other test uses. */
const STRANGER = 61_514

/** Characters that control a terminal or change the text that is read: C0, DEL, C1, separators, directions, zero width. */
const BAD =
  '\u001b[31m\u0007\r\n\u007f\u0085\u009b2J\u009d0;x\u009c\u2028\u2029\u202e\u2066\u200b\u200d\u061c\ufeff\u{e0041}'

/** The lines that have such a character. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u

const SHOWN =
  '\\x1b[31m\\x07\\x0d\\x0a\\x7f\\x85\\x9b2J\\x9d0;x\\x9c\\u2028\\u2029\\u202e\\u2066\\u200b\\u200d\\u061c\\ufeff\\U000e0041'

/** A semaphore and memory of another user, with names full of such characters. */
async function planted(t: ExecutionContext, bad = BAD): Promise<{ name: string; shown: string }> {
  const name = `${uniqueName(t)}${bad}`
  const within = [asUser(STRANGER)]
  t.teardown(() => {
    SharedMemory.unlink(name)
    removeKey(keyOf(name))
  })
  const made = [
    await cli(t, ['create', name, '-n', 1, '--mode', '666'], { within }),
    await cli(t, ['write', '--create', name, `${BAD}`, '--mode', '644'], { within }),
  ]
  for (const { stderr } of made) t.is(stderr, '')
  return { name, shown: `${name.slice(0, -bad.length)}${SHOWN}` }
}

const stranger = asUser(STRANGER)

for (const command of [
  'ls',
  'ls -q',
  'ls --names -m',
  'ls -s',
  'top --count 1',
  'top --count 2 --interval 60ms',
  'doctor',
]) {
  requires(stranger)(
    `os-ipc ${command} shows the names of other users without control characters`,
    async t => {
      const { shown } = await planted(t)
      const { stdout, stderr } = await cli(t, command.split(' '))
      t.true(stderr === '' && stdout.includes(shown) === (command !== 'doctor'), stdout + stderr)
      t.notRegex(stdout, UNSAFE)
    },
  )
}

requires(stranger)('show, value, read, rm, wait, create, key and errors have no such characters', async t => {
  const { name, shown } = await planted(t)
  for (const args of [
    ['show', name],
    ['show', name, '--watch', '--count', 2, '--interval', '60ms'],
    ['value', `${name}x`],
    ['read', `${name}x`],
    ['read', name, '--offset', '9999'],
    ['wait', name, '-t', 0],
    ['wait', name, '--owner', 'any', '-t', BAD],
    ['create', name, '-n', 1],
    ['post', name, '--owner', BAD],
    ['rm', `${name}x`],
    ['rm', name, BAD],
    ['key', name],
    ['key', name, '--memory'],
    ['ls', BAD],
    ['ls', `--${BAD}`],
    [BAD],
    [`--${BAD}`],
    ['run', name, '--', BAD],
    ['run', 'x', BAD],
    ['lock', 'x', `-${BAD}`],
    ['top', '--sort', BAD],
    ['completion', BAD],
    ['help', BAD],
  ] as const) {
    const { stdout, stderr } = await cli(t, args, { env: { NODE_DEBUG: 'os-ipc' } })
    t.not(stdout + stderr, args[0] === 'ls' && args[1] === BAD ? '-' : '', args.join(' '))
    t.notRegex(stdout + stderr, UNSAFE, args.join(' '))
  }
  t.true((await cli(t, ['show', name])).stdout.startsWith(shown))
})

requires(stranger)('JSON has the exact name, with control characters escaped', async t => {
  const { name } = await planted(t)
  for (const args of [
    ['ls', '--json'],
    ['show', name, '--json'],
    ['show', name, '--json', '--watch', '--count', '1'],
    ['top', '--json', '--count', '1'],
    ['doctor', '--json'],
    ['key', name, '--json'],
    ['value', name, '--json'],
  ]) {
    const { stdout } = await cli(t, args)
    t.notRegex(stdout, UNSAFE, args.join(' '))
    const strings: unknown[] = []
    JSON.parse(stdout, (_, value) => strings.push(value) && value)
    t.is(strings.includes(name), args[0] !== 'doctor', args.join(' '))
  }
})

requires(stranger, terminals)(
  'a terminal gets colours of os-ipc and no other control characters',
  async t => {
    const { name } = await planted(t)
    for (const args of [
      ['ls'],
      ['ls', '-q'],
      ['show', name],
      ['top', '--count', '2', '--interval', '60ms'],
      ['ls', '--json'],
    ]) {
      // Enough rows for the objects of other tests too.
      const { output } = await inTerminal(t, osIpc(...args), [], { columns: 300, rows: 1_000 })
      // Colours, the sequences that draw the screen of top, and the ends of lines.
      // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
      const rest = output.replaceAll(/\u001b\[(\d*m|[HKJ]|2J|\?(1049|25|7)[hl])|\r*\n/g, '')
      t.notRegex(rest, UNSAFE, args.join(' '))
      t.true(rest.includes(args.includes('--json') ? '\\u001b[31m' : '\\x1b[31m'), args.join(' '))
    }
  },
)

// --- programs

requires(linux)('the programs of other users are shown without control characters', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 0 })
  const program0 = `p${BAD.replaceAll('/', '')}${'x'.repeat(5000)}`
  const waiting = program(t, ['bash', '-c', 'exec -a "$0" "$@"', program0, ...osIpc('wait', name)])
  await until('it waits', () => semaphore.info().waiters === 1)
  const { stdout } = await cli(t, ['show', name])
  t.notRegex(stdout, UNSAFE)
  t.true(stdout.includes(`waiters          1: ${waiting.pid} p\\x1b[31m`), stdout)
  t.true(stdout.split('\n').every(line => line.length < 200))
  semaphore.unlink()
})

// --- read

requires(terminals)(
  'read writes text to a terminal and refuses other bytes there; a pipe gets all of them',
  async t => {
    const name = uniqueName(t)
    const cases: [data: string | Buffer, isText: boolean][] = [
      ['plain ünïcode 漢字\n\ttab\r\n\0\0', true],
      ['\u001b[31m', false],
      ['\u009b31m', false],
      ['over\rwritten', false],
      ['\u202e', false],
      [Buffer.from([0x9b, 0x33, 0x31, 0x6d]), false],
      [Buffer.from([0xff]), false],
    ]
    for (const [data, isText] of cases) {
      const bytes = Buffer.from(data as string)
      const memory = SharedMemory.create(name, { size: bytes.length })
      memory.write(bytes)
      const { output, code } = await inTerminal(t, osIpc('read', name), [])
      if (isText) t.true(code === 0 && output.includes('plain ünïcode 漢字'), output)
      else {
        t.is(code, 5)
        t.regex(
          output,
          /^\S*os-ipc:\S* \S+ has bytes that a terminal would act upon; os-ipc show \S+ dumps it, and os-ipc read \S+ \| cat writes it as it is\r\n$/,
        )
      }
      const { stdout } = await installedShell(t, `os-ipc read ${name} | od -An -v -tx1`)
      t.is(stdout.replaceAll(/\s/g, ''), bytes.toString('hex'))
      memory.unlink()
    }
  },
)

// --- completions

for (const shell of ['bash', 'zsh', 'fish'] as const) {
  requires(
    stranger,
    tool(shell),
    terminals,
  )(`the completion of ${shell} offers names that a shell takes as they are, and runs nothing`, async t => {
    await planted(t)
    const home = folder(t)
    const ran = join(home, 'ran')
    const tag = uniqueName(t).slice(1)
    const evil = `/${tag};touch ran;$(touch ran)\`touch ran\`&'"|<>* ?[a]{b,c}~!#`
    const semaphore = Semaphore.create(evil, { initial: 41 })
    t.teardown(() => semaphore.unlink())
    const script = write(join(home, 'completion'), (await cli(t, ['completion', shell])).stdout)
    const prepare = {
      bash: `set +H; PS1='> '; source ${script}`,
      zsh: `PS1='> '; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source ${script}`,
      fish: `source ${script}`,
    }[shell]
    const argv = {
      bash: ['bash', '--norc', '-i'],
      zsh: ['zsh', '-f', '-i'],
      fish: ['fish', '--no-config', '-i'],
    }[shell]
    const { output, problem } = await inTerminal(
      t,
      argv,
      [
        { type: `cd ${home}; ${prepare}; echo rea""dy\r` },
        { until: 'ready' },
        { sleep: 0.3 },
        { mark: true },
        { type: `os-ipc value ${tag}\t` },
        { sleep: 1.5 },
        { type: '\r' },
        { until: '41' },
        { mark: true },
        { type: 'os-ipc ls /os-ipc-\t\t' },
        { sleep: 1.5 },
        { type: '\u0003' },
        { signal: 9 },
      ],
      { env: { PATH: installed(t), HOME: home, ZDOTDIR: home }, columns: 200 },
    )
    t.is(problem, null, output)
    t.false(existsSync(ran))
    t.false(output.includes('\u001b[31m\u0007') || output.includes('\u009b'))
  })
}

// --- the functions

test('text of another user is never taken for a style', t => {
  const painted = styled('red', [31, 39])
  t.is(written(painted), '\u001b[31mred\u001b[39m')
  t.is(written('\u001b[31mred\u001b[39m'), '\\x1b[31mred\\x1b[39m')
  t.is(written('\u001b[31:1234567890mred'), '\\x1b[31:1234567890mred')
  t.is(withoutStyle(painted), 'red')
  t.is(width(painted), 3)
  t.is(written(cutPainted(styled('redder', [31, 39]), 4)), '\u001b[31mred\u001b[0m…')
  t.is(cutMiddle('abcdefghij', 10), 'abcdefghij')
  t.is(cutMiddle('abcdefghij', 9), 'abcd…ghij')
  t.is(cutMiddle('abcdefghij', 6, '~'), 'abc~ij')
  // A character of two columns is not cut in two.
  t.is(cutMiddle('名名名名名', 6), '名…名')
})

test('printable text stays unchanged, and a second escape changes nothing', t => {
  t.is(printable(BAD), SHOWN)
  t.is(printable(SHOWN), SHOWN)
  t.is(printable('\ud800 \udc00x'), '\\ud800 \\udc00x')
  for (const text of ['jobs', 'größe', '漢字', 'e\u0301', '❤️', '🎉', '\\x1b']) t.is(printable(text), text)
})

test('JSON is escaped and means the same', t => {
  const value = { [BAD]: [BAD, 'größe', '🎉'] }
  for (const indent of [0, 2]) {
    const text = printableJson(JSON.stringify(value, null, indent))
    t.notRegex(text, UNSAFE)
    t.deepEqual(JSON.parse(text), value)
  }
})

test('width counts the columns of a terminal', t => {
  for (const [text, columns] of [
    ['jobs', 4],
    ['漢字', 4],
    ['🎉', 2],
    ['⌚', 2],
    ['e\u0301', 1],
    [printable('\u200b'), 6],
  ] as const)
    t.is(width(text), columns, text)
})

test('a sentence ends with exactly one full stop', t => {
  t.is(sentence('This is a cause.', 'a cure'), 'This is a cause; a cure')
  t.is(sentence('a cause:', undefined, 'one.', 'two.'), 'a cause; one; two.')
  t.is(sentence('two\n  lines', ''), 'two lines')
})

test('a terminal of 20 columns gets lines of at most 20', async t => {
  const name = `${uniqueName(t)}漢字${BAD}`
  const semaphore = Semaphore.create(name, { initial: 1 })
  t.teardown(() => semaphore.unlink())
  const [item] = await json<{ name: string }[]>(t, ['ls', '-s', '--json', name])
  const seen = [{ item, identity: 'a', most: 1, rate: 12, atLeast: true }] as unknown as Parameters<
    typeof plainFrame
  >[0]['seen']
  const state = { ...initialState(COLUMNS[0] as (typeof COLUMNS)[0], ''), seen }
  for (const columns of [1, 8, 20, 40]) {
    for (const line of frame(state, [], { columns, rows: 10 }))
      t.true(width(line) <= Math.max(columns, 1), `${columns}: ${line}`)
  }
})

requires(terminals)('every command that shows something works in a terminal of 20 columns', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 1 })
  for (const args of [['ls'], ['show', name], ['top', '--count', '1'], ['doctor'], ['--help']]) {
    const { code, problem } = await inTerminal(t, osIpc(...args), [], { columns: 20, rows: 5 })
    t.is(problem, null)
    t.true(code === 0 || args[0] === 'doctor', args.join(' '))
  }
  semaphore.unlink()
})

requires(linux)('a closed stream, no HOME and another locale end nothing', async t => {
  for (const line of [
    'os-ipc ls >&-',
    'os-ipc ls <&-',
    'os-ipc ls 2>&-',
    'env -u HOME LC_ALL=C os-ipc ls',
    `os-ipc run ${uniqueName(t)} -- true >&- 2>&- <&-`,
  ]) {
    t.like(await installedShell(t, line), { code: 0, stderr: '' }, line)
  }
  t.is((await installedShell(t, 'os-ipc nothing 2>&-')).code, 2)
  t.like(await installedShell(t, 'os-ipc ls | head -1'), { code: 0, stderr: '' })
})
