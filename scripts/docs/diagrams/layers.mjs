// The layers of the package, and the layers that each may use.

import { arrow, box, picture, text } from './svg.mjs'

const LAYERS = [
  {
    title: 'your program',
    where: 'Node.js, Bun, Deno',
    rules: ['promises, AbortSignal, using'],
    kind: 'plain',
  },
  {
    title: 'lib/, index.ts',
    where: 'TypeScript',
    rules: [
      'JavaScript idiom: checks arguments, waits, times out,',
      'owns Limit, Semaphore, SharedMemory, IpcError',
    ],
    kind: 'waiting',
  },
  {
    title: 'the addon',
    where: 'crates/os-ipc-node',
    rules: ['translates and decides nothing: numbers for handles,', 'errors, and what one environment owns'],
    kind: 'held',
  },
  {
    title: 'the core',
    where: 'crates/os-ipc',
    rules: [
      'safe Rust without JavaScript: names, keys, records,',
      'opening, the line of those who wait, typed errors',
    ],
    kind: 'held',
  },
  {
    title: 'sys',
    where: 'crates/os-ipc/src/sys',
    rules: ['the only unsafe code: one file a facility,', 'chosen by platform in one place'],
    kind: 'dead',
  },
]
const CALLS = ['semget, semop', 'sem_open', 'shmget, shmat', 'shm_open, mmap']

const WIDTH = 760
const LEFT = 28
const HEIGHT = 56
const STEP = 82
const top = index => 24 + index * STEP
const bottom = top(LAYERS.length)

export const layers = picture({
  title: 'The layers of os-ipc',
  description: `From above: ${LAYERS.map(({ title, rules }) => `${title}: ${rules.join(' ')}`).join('; ')}; and the kernel: ${CALLS.join(', ')}. A layer knows the one below it and nothing above.`,
  width: WIDTH,
  height: bottom + 104,
  parts: [
    LAYERS.map(({ title, where, rules, kind }, index) => [
      box({ x: LEFT, y: top(index), width: 230, height: HEIGHT, kind, title, lines: [`\`${where}`] }),
      rules.map((line, row) =>
        text({
          x: 286,
          y: top(index) + (rules.length === 1 ? 33 : 24) + row * 20,
          line,
          room: WIDTH - 286 - 8,
        }),
      ),
      arrow([LEFT + 115, top(index) + HEIGHT], [LEFT + 115, top(index + 1)]),
    ]),
    box({ x: LEFT, y: bottom, width: WIDTH - 2 * LEFT, height: 80, kind: 'free' }),
    text({ x: LEFT + 16, y: bottom + 24, line: 'the kernel', style: 'title' }),
    CALLS.map((line, index) =>
      box({ x: LEFT + 16 + index * 170, y: bottom + 36, width: 162, height: 30, lines: [`\`${line}`] }),
    ),
  ],
})
