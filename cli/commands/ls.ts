import {
  AGE,
  ATTACHED,
  HOLDERS,
  ID,
  KIND,
  LAST_PID,
  MODE,
  NAME,
  OWNER,
  SIZE,
  VALUE,
  WAITERS,
} from '../core/columns.js'
import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { rows } from '../core/files.js'
import { count } from '../core/format.js'
import { everything, type Item, itemJson } from '../core/items.js'
import { note, outputWidth, print, printJson } from '../core/output.js'
import { pattern } from '../core/pattern.js'
import { table } from '../core/table.js'
import { JSON_OUTPUT } from '../core/values.js'

const ALWAYS = [KIND, NAME, ID, VALUE, WAITERS, HOLDERS, SIZE]
/** Those that a narrow terminal leaves out, the last one first. */
const WHERE_THERE_IS_ROOM = [OWNER, LAST_PID, AGE, MODE, ATTACHED]
const COLUMNS = [...ALWAYS, ATTACHED, OWNER, MODE, LAST_PID, AGE].map(column => {
  const at = WHERE_THERE_IS_ROOM.indexOf(column)
  return at < 0 ? column : { ...column, dispensable: at + 1 }
})

export default command({
  name: 'ls',
  operands: [
    {
      name: 'PATTERN',
      help: 'names to list, with * and ?; default: all',
      optional: true,
      many: true,
      complete: 'object',
    },
  ],
  options: {
    semaphores: { short: 's', help: 'Only semaphores.' },
    limits: { help: 'Only limits.' },
    memory: { short: 'm', help: 'Only shared memory.' },
    locks: { short: 'l', help: 'Only locks.' },
    channels: { short: 'c', help: 'Only channels.' },
    names: {
      short: 'q',
      help: 'Print only the names, one per line. Objects without a name are left out. Control characters are escaped; --json has the exact name.',
    },
    json: JSON_OUTPUT,
  },
  description: [
    'Lists every semaphore, limit, lock, channel and shared memory object of this host that this user may see, whichever program made it.',
    'KIND is semaphore, limit, lock, channel or memory. NAME is the name, or the System V key if the object carries no name; a terminal shows a long name shortened in its middle, and a narrow one leaves out the last columns. ID is the id of a System V object, or the system of any other object, such as posix. ' +
      'VALUE is the counter of a semaphore. For a limit it is the number of used permits: with 2/2 used no permit is free, and a paused limit has 0 permits. For a channel it is the number of messages, and the used share of its capacity. HOLDERS are the processes that hold permits. ' +
      'LAST PID is the process that last changed the counter, attached or detached, with "dead" if it has ended; for a lock or a channel it is a process that uses it. AGE is the time since the object was made, or since its owner or mode changed. ' +
      'A dash stands for a value that the system does not know.',
  ],
  examples: [
    ['os-ipc ls', 'everything'],
    ["os-ipc ls -s 'jobs*'", 'semaphores whose names begin with jobs'],
    ["os-ipc ls --limits --json | jq '.[].holders[].pid'", 'the processes that hold permits'],
    ["os-ipc ls --json | jq '.[] | select(.waiters > 0).name'", 'the objects with waiters'],
  ],
  exits: COMMON_EXITS,
  run({ ipc, options, operands }) {
    const patterns = operands.map(pattern)
    const chosen = [
      ...(options.semaphores ? ['semaphore'] : []),
      ...(options.limits ? ['limit'] : []),
      ...(options.memory ? ['memory'] : []),
      ...(options.locks ? ['lock'] : []),
      ...(options.channels ? ['channel'] : []),
    ]
    const all = everything(ipc)
    const items = all.filter(
      item =>
        (chosen.length === 0 || chosen.includes(item.type)) &&
        (patterns.length === 0 || patterns.some(matches => matches(item))),
    )
    if (options.json) printJson(items.map(itemJson))
    else if (options.names) print(namesOf(items))
    else {
      print(table(COLUMNS, items, outputWidth()))
      if (patterns.length === 0 && chosen.length === 0) tellHidden(all)
    }
    return undefined
  },
})

/** Each name once. */
function namesOf(items: readonly Item[]): string[] {
  return [...new Set(items.flatMap(({ name }) => name ?? []))]
}

/** The objects of other users that are in the kernel's public tables, but that this user may not read. */
function tellHidden(items: readonly Item[]): void {
  const seen = new Set(items.map(({ type, id }) => `${type === 'memory' ? 'segment' : 'set'} ${id}`))
  const own = `${process.geteuid?.()}`
  const sets = rows('/proc/sysvipc/sem')?.filter(({ semid, uid }) => uid !== own && !seen.has(`set ${semid}`))
  const segments = rows('/proc/sysvipc/shm')?.filter(
    ({ shmid, uid }) => uid !== own && !seen.has(`segment ${shmid}`),
  )
  const hidden = (sets?.length ?? 0) + (segments?.length ?? 0)
  if (hidden > 0 && own !== '0')
    note(`${count(hidden, 'System V object')} belong to other users, and this user may not read them`)
}
