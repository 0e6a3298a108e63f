import { setTimeout as sleep } from 'node:timers/promises'

import { command, type Library } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { absent, explain } from '../core/explain.js'
import type { Failure } from '../core/failure.js'
import { find } from '../core/find.js'
import type { Item } from '../core/items.js'
import { note, print, printJson, printJsonLine } from '../core/output.js'
import { type Target, target } from '../core/target.js'
import { bytes, duration, integer, JSON_OUTPUT } from '../core/values.js'
import { type Details, detailsOf, jsonOf } from '../show/details.js'
import { drawing, watch } from '../show/watch.js'

export default command({
  name: 'show',
  operands: [
    { name: 'NAME', help: 'a name; objects of all kinds with it are shown', many: true, complete: 'object' },
  ],
  options: {
    offset: {
      short: 'o',
      value: 'BYTES',
      help: 'The first byte of the dump of memory; default 0.',
      read: bytes,
    },
    length: { short: 'l', value: 'BYTES', help: 'The number of bytes to dump; default 256.', read: bytes },
    watch: { short: 'w', help: 'Read repeatedly, and mark the changes.' },
    interval: {
      short: 'i',
      value: 'S',
      help: 'The seconds between two reads (also 200ms); default 1.',
      read: duration,
    },
    count: { short: 'c', value: 'N', help: 'End after N reads.', read: integer(1, 1_000_000_000) },
    json: JSON_OUTPUT,
  },
  description: [
    'Shows all facts of the kernel about a semaphore, a limit, a lock, a channel or memory, and a hex dump of the memory.',
    'A limit has a list of the processes that hold its permits, and a channel has lists of those that send and receive. A unit of a semaphore has no owner, so its holder is unknown. ' +
      'show also lists the processes that map memory or a POSIX semaphore, and those that wait for a System V semaphore or a limit, if this user may inspect them.',
    'With --watch a terminal marks the changes since the last read; other outputs get only the changes, one per line. Ctrl-C ends it.',
  ],
  examples: [
    ['os-ipc create jobs -n 4 && os-ipc show jobs', 'a semaphore'],
    ['os-ipc show uploads', 'a limit, and the holders of its permits'],
    ['os-ipc show frames --offset 4k --length 64', 'memory, 64 bytes of it'],
    ['os-ipc show frames --watch --interval 200ms', 'the changes'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options, operands }) {
    const targets = operands.map(target)
    const look = () => every(ipc, targets).map(item => detailsOf(ipc, item, options))
    if (!options.watch) {
      const { items, failures } = those(ipc, targets)
      const [failure] = failures
      if (failure !== undefined && targets.length === 1) throw failure
      const found = items.map(item => detailsOf(ipc, item, options))
      if (options.json) printJson(found.map(jsonOf))
      else if (found.length > 0)
        print(found.flatMap((details, at) => [...(at > 0 ? [''] : []), ...drawing(details)]))
      for (const { line } of failures) note(line)
      return Math.max(EXIT.ok, ...failures.map(({ exit }) => exit))
    }
    const { interval = 1000, count = Number.POSITIVE_INFINITY } = options
    look() // A missing name is an error; an object that is removed later ends the watch.
    const again = () => lookIfThere(look)
    if (options.json) await watchJson(again, interval, count)
    else await watch(again, interval, count)
    return undefined
  },
})

/** Every item of the names; throws when a name has none. */
function every(ipc: Library, targets: readonly Target[]): Item[] {
  return targets.flatMap(meant => {
    const { items, failure } = find(ipc, meant)
    if (items.length > 0) return items
    throw failure ?? absent(ipc, { type: undefined, target: meant })
  })
}

/** Every item of the names, and the reason for each name that has none. */
function those(ipc: Library, targets: readonly Target[]): { items: Item[]; failures: Failure[] } {
  const items: Item[] = []
  const failures: Failure[] = []
  for (const meant of targets) {
    try {
      items.push(...every(ipc, [meant]))
    } catch (error) {
      failures.push(explain(error, ipc))
    }
  }
  return { items, failures }
}

function lookIfThere(look: () => Details[]): Details[] {
  try {
    return look()
  } catch {
    return []
  }
}

/** Prints one line of JSON per look. */
async function watchJson(look: () => Details[], interval: number, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    if (turn > 0) await sleep(interval)
    const found = look()
    if (found.length === 0) return
    printJsonLine(found.map(jsonOf))
  }
}
