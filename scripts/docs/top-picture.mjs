// docs/top.svg: a frame that `os-ipc top` drew in a terminal, of real objects that real processes use.
// `npm run picture:top` makes it anew; it needs Linux, and Python for the terminal.

import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { isolated } from '../test/isolate.mjs'
import { fail, projectEnv, root } from '../run.mjs'
import { setup } from '../setup.mjs'
import { lastFrame } from './terminal-frame.mjs'
import { svg } from './terminal-svg.mjs'

const TARGET = join(root, 'docs', 'top.svg')
const [ROWS, COLUMNS] = [14, 126]

/** The time that top runs before its picture is taken, because rates need several samples. */
const SECONDS = 4

/** The programs in the picture, each with one job, by the name of their file, which top shows too. */
const PROGRAMS = [
  // Workers: two at a time, two of them wait.
  ...Array.from({ length: 4 }, (_, at) => [
    'worker.mjs',
    `
    const jobs = Limit.openOrCreate('/convert', { permits: 2 })
    for (;;) await jobs.use(() => sleep(${180 + 90 * at}))`,
  ]),
  [
    'api.mjs',
    `
    const slots = Limit.openOrCreate('/db-pool', { permits: 16 })
    const held = []
    for (let i = 0; i < 5; i++) held.push(await slots.acquire())
    for (;;) { held.push(await slots.acquire()); await sleep(70); held.pop().release(); await sleep(40) }`,
  ],
  [
    'reports.mjs',
    `
    for (;;) await locks.request('reports', { mode: 'shared' }, () => sleep(50))`,
  ],
  [
    'ready.mjs',
    `
    const ready = Semaphore.openOrCreate('/ready', { initial: 0 })
    await ready.wait()`,
  ],
  [
    'frames.mjs',
    `
    const frames = SharedMemory.create('/frames', { size: 24 << 20 })
    const cache = SharedMemory.create('/price-cache', { size: 640 << 10, mode: 0o640 })
    const legacy = SharedMemory.create(0x51a7e, { size: 1 << 20 })
    const queue = Semaphore.create('/frame-queue', { initial: 0, backend: 'posix' })
    for (;;) { queue.post(); await sleep(90); queue.tryWait(); await sleep(60) }`,
  ],
]

/** A program that ends and leaves a semaphore whose last user is dead. */
const DEAD = [
  'nightly.mjs',
  `
    const nightly = Limit.openOrCreate('/nightly', { permits: 1 })
    await nightly.use(() => {})`,
]

if (!process.env.OS_IPC_ISOLATED) setup({ quiet: true })
process.exitCode = isolated('docs/top-picture.mjs', []) ?? (await draw())

async function draw() {
  spawnSync(process.execPath, [program(DEAD, 0)], { cwd: root, stdio: 'inherit' })
  const children = PROGRAMS.map((each, at) =>
    spawn(process.execPath, [program(each, at)], { cwd: root, stdio: 'inherit' }),
  )
  try {
    await sleep(1500)
    const output = inTerminal(
      [process.execPath, 'cli/os-ipc.cjs', 'top', '--sort', 'ops'],
      [{ until: 'frame-queue' }, { sleep: SECONDS }, { type: 'q' }],
    )
    writeFileSync(TARGET, svg(lastFrame(output, COLUMNS, ROWS), 'os-ipc top'))
  } finally {
    for (const child of children) child.kill('SIGKILL')
  }
  return 0
}

/** Writes a file with this name for Node, which imports the package by its own name. */
function program([name, source], at) {
  const folder = join(root, '.cache/top-picture', `${at}`)
  mkdirSync(folder, { recursive: true })
  const file = join(folder, name)
  writeFileSync(
    file,
    `
    import { setTimeout as sleep } from 'node:timers/promises'
    import { Limit, locks, Semaphore, SharedMemory } from 'os-ipc'
    ${source}`,
  )
  return file
}

/** The output of a program on a terminal; __test__/cli/helpers/terminal.py describes the steps. */
function inTerminal(argv, steps) {
  const { stdout, stderr } = spawnSync(
    'python3',
    [join(root, '__test__/cli/helpers/terminal.py'), `${ROWS}`, `${COLUMNS}`, ...argv],
    {
      cwd: root,
      input: steps.map(step => `${JSON.stringify(step)}\n`).join(''),
      encoding: 'utf8',
      env: { ...projectEnv, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', NO_COLOR: '' },
    },
  )
  const { output, problem } = JSON.parse(stdout || `{"problem":${JSON.stringify(stderr)}}`)
  if (problem) fail(problem)
  return output
}
