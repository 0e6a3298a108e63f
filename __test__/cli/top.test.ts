// `os-ipc top`: its screen, its keys, and the terminal that it restores.

import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

import test from 'ava'

import { initialState, press, type State } from '../../cli/top/state.js'
import { COLUMNS } from '../../cli/top/columns.js'
import { frame } from '../../cli/top/frame.js'
import { split } from '../../cli/top/terminal.js'
import { width } from '../../cli/core/text.js'
import { Limit, Semaphore, SharedMemory } from '../../index.js'
import { cli, inTerminal, json, osIpc, type Step, start, terminals } from './helpers/cli.ts'
import { uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'
import { lastFrame as runsOf } from '../../scripts/docs/terminal-frame.mjs'
import { svg } from '../../scripts/docs/terminal-svg.mjs'

const page = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')

const ENTER = '\u001b[?1049h'
const LEAVE = '\u001b[?7h\u001b[?25h\u001b[?1049l'

/** The last screen that was drawn, as lines without styles. */
function lastFrame(output: string): string[] {
  const drawn = output.split('\u001b[H').at(-1) ?? ''
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences begin with one.
  return drawn.replaceAll(/\u001b\[[?\d;]*[A-Za-z]/g, '').split(/\r*\n/)
}

const row = (lines: readonly string[], name: string) => lines.find(line => line.includes(` ${name} `)) ?? ''

requires(terminals)(
  'top shows values as bars, waiters, sizes and dead processes, and restores the terminal',
  async t => {
    const tag = uniqueName(t)
    const [jobs, frames, used] = [`${tag}-s`, `${tag}-m`, `${tag}-d`]
    const semaphore = Semaphore.create(jobs, { initial: 4 })
    const idle = Semaphore.create(used, { initial: 0 })
    const memory = SharedMemory.create(frames, { size: 2 * 1024 * 1024 })
    t.teardown(() => {
      for (const one of [semaphore, idle]) one.unlink()
      memory.unlink()
    })
    t.is((await cli(t, ['post', used])).code, 0)
    semaphore.waitSync()
    semaphore.post()
    const taken = semaphore.tryWait()
    const { output, code, restored, problem } = await inTerminal(
      t,
      osIpc('top', tag, '--interval', '100ms', '--sort', 'name'),
      [
        { until: 'OPS/S' },
        { until: frames },
        { mark: true },
        { until: frames },
        { sleep: 0.5 },
        { type: 'q' },
      ],
    )
    t.true(taken)
    t.is(problem, null)
    t.like({ code, restored }, { code: 0, restored: true })
    t.true(output.endsWith(LEAVE))
    const lines = lastFrame(output)
    t.is(lines.length, 24)
    t.regex(
      lines[0] as string,
      new RegExp(`^os-ipc top - ${hostname()} \\d\\d:\\d\\d:\\d\\d  \\d+ semaphore`),
    )
    t.regex(lines[2] as string, /^KIND +NAME▼ +VALUE +WAITERS +OPS\/S +SIZE/)
    t.regex(row(lines, jobs), /^semaphore +\S+ +█{10} 3\/3 +0 +- +- /)
    t.regex(row(lines, frames), /^memory +\S+ +- +- +- +2 M/)
    t.regex(row(lines, used), /\d+ dead/)
    t.regex(lines[23] as string, /q quit/)
  },
)

requires(terminals)('the keys select, inspect, filter, sort, reverse, pause and quit', async t => {
  const tag = uniqueName(t)
  const [one, two] = [`${tag}-1`, `${tag}-2`]
  const first = Semaphore.create(one, { initial: 11 })
  const memory = SharedMemory.create(two, { size: 64 })
  memory.write('INSPECTED')
  t.teardown(() => {
    first.unlink()
    memory.unlink()
  })
  const steps: Step[] = [
    { until: two },
    { type: 's' },
    { until: 'SIZE▼' },
    { type: 'S' },
    { until: 'OPS/S▼' },
    { type: 'r' },
    { until: 'OPS/S▲' },
    { type: '?' },
    { until: 'sort by the next column' },
    { type: '\u001b' },
    { mark: true },
    { until: 'q quit' },
    { type: '/' },
    { until: 'filter: ' },
    { type: '-2x\u007f\r' },
    { until: `/${two} ` },
    { mark: true },
    { until: two },
    { type: '\r' },
    { until: '|INSPECTED......' },
    { type: 'q/\u007f\u007f\r' },
    { until: `/${tag} ` },
    { mark: true },
    { until: one },
    { type: 'ssp' },
    { until: ' paused ' },
    { type: 'pG' },
    { size: [10, 60] },
    // The new size has no room for the whole last line.
    { until: '…\u001b[K\u001b[J' },
    { type: '\u0003' },
  ]
  const { output, code, restored, problem } = await inTerminal(
    t,
    osIpc('top', tag, '--interval', '100ms'),
    steps,
    { columns: 200 },
  )
  t.is(problem, null, output)
  t.like({ code, restored }, { code: 0, restored: true })
  const lines = lastFrame(output)
  t.is(lines.length, 10)
  for (const line of lines) t.true(width(line) <= 60, line)
})

for (const [name, number] of [
  ['SIGTERM', 15],
  ['SIGHUP', 1],
  ['SIGINT', 2],
  ['SIGQUIT', 3],
] as const) {
  requires(terminals)(`${name} ends top, and the terminal is restored`, async t => {
    const { output, code, restored, problem } = await inTerminal(t, osIpc('top'), [
      { until: 'q quit' },
      { signal: number },
    ])
    t.is(problem, null)
    // The signal itself ends top, as it ends other programs.
    t.is(code, -number)
    t.true(restored)
    t.true(output.includes(ENTER) && output.endsWith(LEAVE))
  })
}

requires(terminals, linux)('Ctrl-Z gives the terminal back, and fg takes it again', async t => {
  const { output, code, problem } = await inTerminal(
    t,
    ['bash', '--norc', '-i'],
    [
      { type: `PS1='> '; ${osIpc('top').join(' ')}\r` },
      { until: 'q quit' },
      { mark: true },
      { type: '\u001a' },
      { until: 'Stopped' },
      { type: 'stty -a | grep -o " icanon"; echo st""ill\r' },
      { until: 'still' },
      { type: 'fg; echo ba""ck\r' },
      { until: ENTER },
      { until: 'q quit' },
      { type: 'q' },
      { until: 'back' },
      { type: 'exit 7\r' },
    ],
  )
  t.is(problem, null, output)
  t.is(code, 7)
  const stopped = output.indexOf('Stopped')
  t.true(output.lastIndexOf(LEAVE, stopped) >= 0)
  t.true(output.indexOf(' icanon', stopped) > 0)
})

requires(terminals)('an error while top draws is printed after the terminal is restored', async t => {
  // The clock fails after a second.
  const fails =
    'data:text/javascript,setTimeout(() => { Date.prototype.toTimeString = () => { throw new Error("no clock") } }, 1000).unref()'
  const [node = '', ...rest] = osIpc('top', '--interval', '100ms')
  const { output, code, restored, problem } = await inTerminal(t, [node, '--import', fails, ...rest], [])
  t.is(problem, null)
  t.like({ code, restored }, { code: 5, restored: true })
  const told = output.indexOf('this is an error in os-ipc: no clock')
  t.true(told > output.indexOf(LEAVE) && output.indexOf(LEAVE) > output.indexOf(ENTER))
})

test('without a terminal the frames are plain text', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 2 })
  const { stdout, code } = await cli(t, ['top', name, '--interval', '100ms', '--count', 2])
  semaphore.unlink()
  t.is(code, 0)
  const frames = stdout.trimEnd().split('\n\n')
  t.is(frames.length, 2)
  for (const text of frames) t.regex(text, /^os-ipc top - .*\nKIND +NAME .*\nsemaphore +\S+ +█{10} 2\/2/)
})

requires(terminals)('a dumb terminal gets plain output', async t => {
  const name = uniqueName(t)
  SharedMemory.create(name, { size: 8 })
  for (const command of [
    ['top', name, '--count', '2', '--interval', '50ms'],
    ['show', name, '--watch', '--count', '2', '--interval', '50ms'],
  ]) {
    const { output, code } = await inTerminal(t, osIpc(...command), [{ until: name }], {
      env: { TERM: 'dumb' },
    })
    t.is(code, 0)
    t.false(output.includes('\u001b'), output)
  }
})

test('bars are ASCII where the locale is not UTF-8', async t => {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 2 })
  const { stdout } = await cli(t, ['top', name, '-c', 1], { env: { LC_ALL: 'C' } })
  semaphore.unlink()
  t.regex(stdout, /^semaphore +\S+ +#{10} 2\/2/m)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range covers all of ASCII.
  t.regex(stdout, /^[\u0000-\u007f]*$/)
})

test('top --json counts changes, and never more than happened', async t => {
  const [busy, quiet] = [uniqueName(t, '-b'), uniqueName(t, '-q')]
  const semaphore = Semaphore.create(busy, { initial: 5 })
  Semaphore.create(quiet, { initial: 1 })
  const top = start(t, ['top', '--json', '--interval', '500ms'])
  interface Frame {
    time: string
    items: { name: string; mostSeen: number; changesPerSecond: number; atLeast: boolean }[]
  }
  const frames = [(await top.next()) as Frame]
  let changes = 0
  const turning = setInterval(() => {
    if (changes % 2 === 0) semaphore.waitSync()
    else semaphore.post()
    changes += 1
  }, 100)
  t.teardown(() => clearInterval(turning))
  const itemsOf = () => frames.map(({ items }) => items.find(({ name }) => name === busy))
  // Where this process has no processor for a while, the next frames show no change.
  const seesChanges = () => itemsOf().some(item => (item?.changesPerSecond ?? 0) > 0)
  while (frames.length < 4 || !seesChanges()) frames.push((await top.next()) as Frame)
  top.kill('SIGTERM')
  t.is((await top.exit).signal, 'SIGTERM')
  const [first, ...later] = itemsOf()
  t.like(first, { changesPerSecond: 0 })
  t.is(later.at(-1)?.mostSeen, 5)
  const seen = later.reduce((sum, item) => sum + (item?.changesPerSecond ?? 0) * 0.5, 0)
  t.true(seen <= changes + 1, `${seen} seen of ${changes}`)
  for (const { items } of frames) t.is(items.find(({ name }) => name === quiet)?.changesPerSecond, 0)
})

test('a reader of frames that ends top leaves nothing behind', async t => {
  const top = start(t, ['top', '--json', '--interval', '50ms'])
  await top.next()
  top.kill('SIGTERM')
  t.is((await top.exit).signal, 'SIGTERM')
})

// --- without a terminal: the state and the picture

const columnOf = (key: string) => COLUMNS.find(column => column.key === key) as (typeof COLUMNS)[number]

async function stateWith(t: Parameters<typeof json>[0], names: readonly string[]): Promise<State> {
  const items = await json<never[]>(t, ['ls', '--json', ...names])
  const seen = items.map((item, at) => ({ item, identity: `${at}`, most: 5, rate: at, atLeast: at > 0 }))
  return { ...initialState(columnOf('name'), ''), seen }
}

test('a narrow screen drops the least needed columns first, and a long list scrolls with the selection', async t => {
  const tag = uniqueName(t)
  const names = Array.from({ length: 12 }, (_, at) => `${tag}-${`${at}`.padStart(2, '0')}`)
  for (const name of names) {
    const semaphore = Semaphore.create(name, { initial: 3 })
    t.teardown(() => semaphore.unlink())
  }
  let state = await stateWith(t, [`${tag}*`])
  const wide = frame(state, [], { columns: 140, rows: 24 })
  t.is(wide.length, 24)
  for (const title of ['KIND', 'NAME', 'OPS/S', 'OWNER', 'AGE']) t.true(wide[2]?.includes(title))
  for (const columns of [100, 80, 60, 40, 20]) {
    const narrow = frame(state, [], { columns, rows: 10 })
    t.is(narrow.length, 10)
    for (const line of narrow) t.true(width(line) <= columns, line)
    t.true(narrow[2]?.includes('NAME'))
    t.is(narrow[2]?.includes('AGE'), columns > 100, `${columns}`)
  }
  t.true(frame(state, [], { columns: 100, rows: 10 }).join().includes(`${names[0]} `))
  state = press(state, 'G', 6)
  const end = frame(state, [], { columns: 100, rows: 10 }).join()
  t.true(end.includes(`${names[11]} `) && !end.includes(`${names[0]} `))
  state = press(state, '\u001b[A', 6)
  t.is(state.selected, '10')
  t.is(press(state, '\u001b[5~', 6).selected, '4')
})

test('the filter takes every typed letter, q too', t => {
  let state = initialState(columnOf('name'), '')
  for (const key of ['/', 'q', '?', 'é', '\u001b[A', '\u007f', '\r']) state = press(state, key, 5)
  t.like(state, { filter: 'q?', typing: false, quit: false })
  t.is(press(state, '\u001b', 5).filter, '')
})

test('keys are told apart however the input is split', t => {
  t.deepEqual(split('\u001b[A\u001b[5~q\u001bOBé'), {
    keys: ['\u001b[A', '\u001b[5~', 'q', '\u001bOB', 'é'],
    rest: '',
  })
  t.deepEqual(split('x\u001b'), { keys: ['x'], rest: '\u001b' })
  t.deepEqual(split('\u001b[1'), { keys: [], rest: '\u001b[1' })
  t.deepEqual(split('\u001bq'), { keys: ['\u001b', 'q'], rest: '' })
})

// --- the picture of the README

requires(terminals)('the picture of a frame has the text, the bars and the colours of the frame', async t => {
  const name = `${uniqueName(t)}<&`
  const limit = Limit.create(name, { permits: 2 })
  // The holder lives as long as the terminal may take.
  const taker = start(t, ['run', name, '--', 'sleep', '90'], { limit: 90_000 })
  t.teardown(() => limit.unlink())
  await until('the holder has its permit', () => limit.info().free === 1)
  const { output, problem } = await inTerminal(t, osIpc('top', name, '--interval', '100ms'), [
    { until: '1/2' },
    { type: 'q' },
  ])
  t.is(problem, null)
  taker.kill('SIGTERM')
  t.like(await taker.exit, { signal: 'SIGTERM', stderr: '' })
  const lines = runsOf(output, 100, 24)
  t.is(lines.length, 24)
  const row = lines.find(runs => runs.some(({ text }) => text.includes(name))) ?? []
  t.true(row.every(({ style }) => style.inverse === true)) // the selected one
  const text = row.map(run => run.text).join('')
  t.is(text.length, 100)
  t.regex(text, /█{5}░{5} 1\/2 held by \d+ /)
  const picture = svg(lines, 'top')
  t.true(picture.includes(`${name.slice(0, -2)}&lt;&amp;`) && !picture.includes('█'))
  const box = /viewBox="0 0 (\d+) (\d+)"/.exec(picture)
  t.deepEqual([Number(box?.[1]), Number(box?.[2])], [872, 482])
})

test('the picture in the README is what top draws today', t => {
  const picture = page('docs/top.svg')
  for (const { title } of COLUMNS) t.true(picture.includes(`>${title}`) || picture.includes(title), title)
  t.true(page('README.md').includes('(docs/top.svg)'))
})
