import type { Limit } from '../../index.js'
import { command, type Library } from '../core/command.js'
import { COMMON_EXITS, EXIT } from '../core/exit.js'
import { about, type Subject } from '../core/explain.js'
import { Failure, sentence } from '../core/failure.js'
import { holdersText } from '../core/holders.js'
import { everythingKnown, type Item, itemJson, limitItem, means } from '../core/items.js'
import { limitSubject, openLimit } from '../core/open.js'
import { print, printJson } from '../core/output.js'
import { programOf } from '../core/processes.js'
import { pairs, table } from '../core/table.js'
import { printable } from '../core/text.js'
import { integer, JSON_OUTPUT, OWNER, TIMEOUT } from '../core/values.js'

/** SEMVMX of semop(2). */
const MOST = 32_767

const readPermits = integer(0, MOST)

export default command({
  name: 'limit',
  operands: [
    { name: 'NAME', help: 'a limit', complete: 'limit' },
    {
      name: 'N',
      help: `the new number of permits, 0 to ${MOST}; without it nothing changes`,
      optional: true,
    },
  ],
  options: { timeout: TIMEOUT, owner: OWNER, json: JSON_OUTPUT },
  description: [
    'Shows the permits of a limit: their number, how many are free, and the processes that hold them. With N it changes the number for all processes.',
    'A limit grows at once. It shrinks permit by permit: os-ipc removes each free permit, and waits for the next one. ' +
      'If --timeout expires or os-ipc is killed, the limit keeps the number that it has reached. A limit of 0 permits grants none until it grows again.',
    'limit creates no limit; use os-ipc create NAME --permits N, or os-ipc run.',
  ],
  examples: [
    ['os-ipc create jobs --permits 4 && os-ipc limit jobs 8', 'four at a time at first, then eight'],
    ['os-ipc limit jobs', 'the number of permits, and their holders'],
    ['os-ipc limit jobs 0 --timeout 30', 'let no command start, and wait until all commands have ended'],
  ],
  exits: [...COMMON_EXITS, [`${EXIT.timeout}`, '--timeout expired while more than N permits were held']],
  async run({ ipc, options, operands: [name = '', permits] }) {
    const subject = limitSubject(name)
    if (permits === undefined) {
      const item = seen(ipc, subject)
      if (options.json) printJson(itemJson(item))
      else print(shown(item, subject))
      return undefined
    }
    const wanted = readPermits(permits, 'N')
    const limit = openLimit(ipc, subject, options)
    try {
      await resize(ipc, subject, limit, wanted, options.timeout)
      if (options.json) printJson(itemJson(limitItem(limit.info())))
    } finally {
      limit.close()
    }
    return undefined
  },
})

/** The owner does not matter, because reading a limit needs no trust. */
function seen(ipc: Library, subject: Subject): Item {
  const listed = everythingKnown(ipc).find(item => item.type === 'limit' && means(subject.target, item))
  // A limit that this user may read but not change is on the list, and cannot be opened.
  if (listed !== undefined) return listed
  const limit = openLimit(ipc, subject, { owner: 'any' })
  try {
    return about(ipc, subject, () => limitItem(limit.info()))
  } finally {
    limit.close()
  }
}

function shown(item: Item, { target }: Subject): string[] {
  const { permits, free, waiters, holders, unnamed } = item
  const rows = [
    ['limit', item.name === null ? target.label : printable(item.name)],
    ['permits', permits === null ? 'not recorded: another program made the limit' : `${permits}`],
    ['free', `${free}`],
    ['waiters', `${waiters}`],
  ] as const
  const others = unnamed
    ? [{ pid: '-', permits: unnamed, command: 'processes that the limit does not list' }]
    : []
  const known = (holders ?? []).map(holder => ({
    ...holder,
    command: printable(programOf(holder.pid) ?? '-'),
  }))
  const all = [...known, ...others]
  if (all.length === 0) return pairs(rows, '')
  return [...pairs(rows, ''), '', ...table(HOLDERS, all)]
}

interface Holder {
  readonly pid: number | string
  readonly permits: number
  readonly command: string
}

const HOLDERS = [
  { title: 'HOLDER', side: 'right', cell: ({ pid }: Holder) => `${pid}` },
  { title: 'PERMITS', side: 'right', cell: ({ permits }: Holder) => `${permits}` },
  { title: 'COMMAND', cell: ({ command }: Holder) => command },
] as const

async function resize(
  ipc: Library,
  subject: Subject,
  limit: Limit,
  wanted: number,
  timeout: number | undefined,
): Promise<void> {
  try {
    await about(ipc, subject, () => limit.resize(wanted, { timeout }))
  } catch (error) {
    if ((error as { code?: string }).code !== 'ETIMEDOUT') throw error
    const item = limitItem(limit.info())
    const held = holdersText(item)
    throw new Failure(
      `${subject.target.label} has ${item.permits} permits after ${(timeout ?? 0) / 1000} s, and not ${wanted}`,
      sentence(held === undefined ? undefined : `held by ${held}`),
      EXIT.timeout,
    )
  }
}
