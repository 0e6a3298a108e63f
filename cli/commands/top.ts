import { setTimeout as sleep } from 'node:timers/promises'

import { command, type Library } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { usage } from '../core/failure.js'
import { itemJson } from '../core/items.js'
import { isScreen, print, printJsonLine } from '../core/output.js'
import { closest } from '../../lib/closest.js'
import { duration, integer } from '../core/values.js'
import { COLUMNS, type TopColumn } from '../top/columns.js'
import { plainFrame } from '../top/frame.js'
import { live } from '../top/live.js'
import { Sampler, type Seen } from '../top/sampler.js'
import { initialState, listed, type State } from '../top/state.js'

const KEYS = COLUMNS.map(({ key }) => key)

export default command({
  name: 'top',
  operands: [{ name: 'FILTER', help: 'show only names that contain this text', optional: true }],
  options: {
    interval: {
      short: 'i',
      value: 'S',
      help: 'The seconds between two frames (also 200ms); default 1.',
      read: duration,
    },
    sort: {
      short: 's',
      value: 'COLUMN',
      help: `Order by ${KEYS.join(', ')}; default ops.`,
      complete: KEYS,
      read: columnCalled,
    },
    count: { short: 'c', value: 'N', help: 'End after N frames.', read: integer(1, 1_000_000_000) },
    json: { help: 'Print each frame as a line of JSON.' },
  },
  description: [
    'Shows all semaphores, limits, locks, channels and memory, live: the value as a bar, the holders of permits, the used share of a channel, waiters, operations a second, sizes, and last users that are dead. The key ? lists all keys: they sort, filter, inspect, pause and quit. ' +
      'Without a terminal top prints one frame after the other.',
    'The bar of a semaphore compares its value with the largest value that top has seen. The bar of a limit shows which part of its permits is held. ' +
      'The kernel counts no operations, so top reads 20 times a second. OPS/S is the number of reads a second that found a change: the true number is at least that. If every read found a change, top shows ≥20, and the true number may be much larger. A channel counts its messages, so its OPS/S is exact.',
  ],
  examples: [
    ['os-ipc top', 'until q'],
    ['os-ipc top jobs --sort waiters', 'objects with jobs in the name'],
    ['os-ipc top --json --count 2 | tail -1', 'rates, for a program'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options, operands: [filter = ''] }) {
    const { interval = 1000, count = Number.POSITIVE_INFINITY } = options
    if (interval < 50) throw usage('--interval must be at least 50ms')
    const state = initialState(options.sort ?? columnCalled('ops', '--sort'), filter)
    ipc.list() // Throws where the platform has no list, before the screen is touched.
    if (options.json) await frames(ipc, state, interval, count, printJsonFrame)
    else if (isScreen()) await live(ipc, state, interval, count)
    else
      await frames(ipc, state, interval, count, (state, turn) =>
        print([...(turn > 0 ? [''] : []), ...plainFrame(state)]),
      )
    return undefined
  },
})

function columnCalled(key: string, option: string): TopColumn {
  const found = COLUMNS.find(column => column.key === key)
  if (found !== undefined) return found
  const meant = closest(key, KEYS)
  throw usage(`${option} needs a column, not '${key}'`, meant ? `did you mean ${meant}?` : KEYS.join(', '))
}

/** Frames without a screen. */
async function frames(
  ipc: Library,
  initial: State,
  interval: number,
  times: number,
  show: (state: State, turn: number) => void,
): Promise<void> {
  const sampler = new Sampler(ipc)
  sampler.look()
  for (let turn = 0; turn < times; turn++) {
    // The first frame is drawn at once, without rates.
    const until = performance.now() + interval
    while (turn > 0 && performance.now() < until) {
      await sleep(Math.min(sampler.period, Math.max(1, until - performance.now())))
      sampler.look()
    }
    show({ ...initial, seen: sampler.collect() }, turn)
  }
}

function printJsonFrame(state: State): void {
  printJsonLine({ time: new Date().toISOString(), items: listed(state).map(jsonOf) })
}

function jsonOf({ item, most, rate, atLeast }: Seen): object {
  return { ...itemJson(item), mostSeen: most, changesPerSecond: Math.round(rate * 10) / 10, atLeast }
}
