import type { LockInfo, LockManagerSnapshot } from '../../index.js'
import { command } from '../core/command.js'
import { COMMON_EXITS } from '../core/exit.js'
import { print, printJson } from '../core/output.js'
import { type Column, table } from '../core/table.js'
import { printable } from '../core/text.js'
import { JSON_OUTPUT, POSTGRES } from '../core/values.js'

interface Entry extends LockInfo {
  readonly state: 'held' | 'pending'
}

const COLUMNS: readonly Column<Entry>[] = [
  { title: 'NAME', cell: ({ name }) => printable(name) },
  { title: 'STATE', cell: ({ state }) => state },
  { title: 'MODE', cell: ({ mode }) => mode },
  { title: 'PID', side: 'right', cell: ({ pid }) => `${pid ?? '-'}` },
  { title: 'CLIENT', cell: ({ clientId }) => printable(clientId ?? '-') },
]

export default command({
  name: 'query',
  operands: [
    { name: 'NAME', help: 'locks to show; default: all', optional: true, many: true, complete: 'lock' },
  ],
  options: { postgres: POSTGRES, json: JSON_OUTPUT },
  description: [
    'Shows the holders and the waiters of locks, as locks.query() of this package does. They are the locks of this host or, with --postgres, of all machines that use that database.',
    'A process that waits for a lock more than once is listed once. PID is the pid of the process on its own machine.',
  ],
  examples: [
    ['os-ipc query', 'all locks of this host'],
    ['os-ipc query deploy --postgres env:DATABASE_URL', 'the holder of the lock, over all machines'],
    ["os-ipc query --json | jq -r '.held[].name'", 'the names of all locks that are held'],
  ],
  exits: COMMON_EXITS,
  async run({ ipc, options: { postgres, json }, operands }) {
    const { held, pending } = postgres === undefined ? await ipc.locks.query() : await ofPostgres(postgres)
    const isMeant = ({ name }: LockInfo) => operands.length === 0 || operands.includes(name)
    const shown = { held: held.filter(isMeant), pending: pending.filter(isMeant) }
    if (json) printJson(shown)
    else for (const line of table(COLUMNS, entries(shown))) print(line)
    return undefined
  },
})

function entries({ held, pending }: LockManagerSnapshot): Entry[] {
  return [
    ...held.map(lock => ({ ...lock, state: 'held' as const })),
    ...pending.map(lock => ({ ...lock, state: 'pending' as const })),
  ]
}

async function ofPostgres(address: string): Promise<LockManagerSnapshot> {
  const { postgresLocks } = await import('../run/postgres.js')
  const locks = await postgresLocks(address)
  try {
    return await locks.query()
  } finally {
    await locks.close()
  }
}
