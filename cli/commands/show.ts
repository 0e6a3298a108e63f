import { setTimeout as sleep } from 'node:timers/promises'

import { command, type Library } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { absent, explain, type Subject } from '../core/explain.js'
import { everything, type Item, means, memoryItem, semaphoreItem } from '../core/items.js'
import { print, printJson } from '../core/output.js'
import { libraryId, type Target, target } from '../core/target.js'
import { bytes, duration, integer, JSON_OUTPUT } from '../core/values.js'
import { type Details, detailsOf, jsonOf } from '../show/details.js'
import { drawing, watch } from '../show/watch.js'

export default command({
  name: 'show',
  operands: [
    { name: 'NAME', help: 'what to show: all kinds that have the name', many: true, complete: 'object' },
  ],
  options: {
    offset: {
      short: 'o',
      value: 'BYTES',
      help: 'Where the dump of memory begins; 0 when missing.',
      read: bytes,
    },
    length: { short: 'l', value: 'BYTES', help: 'How much of it; 256 when missing.', read: bytes },
    watch: { short: 'w', help: 'Look again and again, and mark what changes.' },
    interval: {
      short: 'i',
      value: 'S',
      help: 'Seconds from look to look (also 200ms); 1 when missing.',
      read: duration,
    },
    count: { short: 'c', value: 'N', help: 'End after so many looks.', read: integer(1, 1_000_000_000) },
    json: JSON_OUTPUT,
  },
  description: [
    'Shows everything that the kernel tells about a semaphore or about memory, with a hex dump of what is in it.',
    'Holders are the processes that have memory or a POSIX semaphore mapped, and waiters those that sleep in the kernel for a System V semaphore: ' +
      'as far as this user may look at other processes. Who holds a unit of a System V semaphore the kernel does not tell.',
    'With --watch, what changed since the last look is marked on a terminal; elsewhere only the changes are printed, a line each. Ctrl-C ends it.',
  ],
  examples: [
    ['os-ipc show jobs', 'a semaphore'],
    ['os-ipc show frames --offset 4k --length 64', 'memory, 64 bytes of it'],
    ['os-ipc show frames --watch --interval 200ms', 'what changes'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options, operands }) {
    const targets = operands.map(target)
    const look = () => find(ipc, targets).map(item => detailsOf(ipc, item, options))
    if (!options.watch) {
      const found = look()
      if (options.json) printJson(found.map(jsonOf))
      else print(found.map(details => drawing(details).join('\n')).join('\n\n'))
      return undefined
    }
    const { interval = 1000, count = Number.POSITIVE_INFINITY } = options
    look() // A name that is not there is an error; one that goes later ends the watch.
    const again = () => lookIfThere(look)
    if (options.json) await watchJson(again, interval, count)
    else await watch(again, interval, count)
    return undefined
  },
})

/** Every item that one of the names means; each name has to mean one. */
function find(ipc: Library, targets: readonly Target[]): Item[] {
  if (!ipc.capabilities.list) return targets.map(meant => opened(ipc, meant))
  const items = everything(ipc)
  return targets.flatMap(meant => {
    const found = items.filter(item => means(meant, item))
    // What we may not read is not on the list: opening it says why.
    return found.length > 0 ? found : [opened(ipc, meant)]
  })
}

/** One that is not on the list, where there is a list. */
function opened(ipc: Library, meant: Target): Item {
  if (meant.type !== 'id') {
    const id = libraryId(meant)
    const semaphore = tried(ipc, { type: 'semaphore', target: meant }, () => {
      const semaphore = ipc.Semaphore.open(id, { owner: 'any' })
      try {
        return semaphoreItem(semaphore.info())
      } finally {
        semaphore.close()
      }
    })
    const item =
      semaphore ??
      tried(ipc, { type: 'memory', target: meant }, () => {
        const memory = ipc.SharedMemory.open(id, { owner: 'any', readOnly: true })
        try {
          return memoryItem(memory.info())
        } finally {
          memory.detach()
        }
      })
    if (item !== undefined) return item
  }
  throw absent(ipc, { type: undefined, target: meant })
}

/** What was found; undefined where there is none. */
function tried(ipc: Library, subject: Subject, look: () => Item): Item | undefined {
  try {
    return look()
  } catch (error) {
    const { code } = error as { code?: string }
    if (code === 'ENOENT' || code === 'ERR_NOT_SUPPORTED') return undefined
    throw explain(error, ipc, subject)
  }
}

function lookIfThere(look: () => Details[]): Details[] {
  try {
    return look()
  } catch {
    return []
  }
}

/** A line of JSON a look. */
async function watchJson(look: () => Details[], interval: number, times: number): Promise<void> {
  for (let turn = 0; turn < times; turn++) {
    if (turn > 0) await sleep(interval)
    const found = look()
    if (found.length === 0) return
    process.stdout.write(`${JSON.stringify(found.map(jsonOf))}\n`)
  }
}
