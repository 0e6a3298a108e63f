import type { Library } from '../core/command.js'
import { count, hexKey, moment, size } from '../core/format.js'
import { heldPermits, holdersText } from '../core/holders.js'
import { type Item, itemJson, labelOf, madeAt, usedAt } from '../core/items.js'
import { describePid, type Processes } from '../core/processes.js'
import { mappedByOthers, waitersOf } from '../core/use.js'

/** The number of bytes shown without --length. */
const DEFAULT_LENGTH = 256

/** A piece of memory. */
export interface Piece {
  readonly offset: number
  readonly data: Buffer
}

/** All facts about an item, as `show --json` prints them. */
export interface Details {
  readonly item: Item
  /** The processes that have it mapped or attached; undefined where the kernel does not tell. */
  readonly mapped: Processes | undefined
  /** The processes that wait for it. */
  readonly waiting: Processes | undefined
  /** The content of memory; `undefined` for other items, an error text when it cannot be read. */
  readonly content: Piece | string | undefined
}

/** Reads all facts about an item. */
export function detailsOf(
  ipc: Library,
  item: Item,
  { offset = 0, length }: { offset: number | undefined; length: number | undefined },
): Details {
  return {
    item,
    mapped: mappedByOthers(item),
    waiting: item.waiters ? waitersOf(item) : undefined,
    content: item.type === 'memory' ? contentOf(ipc, item, offset, length) : undefined,
  }
}

export function jsonOf({ item, mapped, waiting, content }: Details): object {
  return {
    ...itemJson(item),
    mapped: mapped?.pids ?? null,
    waiting: waiting?.pids ?? null,
    ...(item.type === 'memory' && {
      content:
        content === undefined || typeof content === 'string'
          ? null
          : { offset: content.offset, length: content.data.length, hex: content.data.toString('hex') },
    }),
  }
}

/** Names and values, as people read them. */
export function rowsOf({ item, mapped, waiting }: Details): (readonly [name: string, value: string])[] {
  const { key, id, value, permits, free, waiters, attached } = item
  const [made, used] = [madeAt(item), usedAt(item)]
  const rows: (readonly [string, string | undefined])[] = [
    ['kind', kindText(item)],
    ['held', heldBy(item)],
    ['key', key === null || key === 0 ? undefined : `${hexKey(key)} (${key})`],
    ['id', id === null ? undefined : `${id}`],
    ['value', value === null ? undefined : `${value}`],
    ['permits', permits === null ? undefined : `${permits}, ${heldPermits(item)} of them used`],
    ['free', free === null ? undefined : `${free}`],
    [
      'held by',
      item.type === 'limit' ? (holdersText(item, Number.POSITIVE_INFINITY) ?? 'no process') : undefined,
    ],
    [
      'waiters',
      waiters === null ? undefined : `${waiters}${waiting === undefined ? '' : names(waiting, waiters)}`,
    ],
    ...channelRows(item),
    ['size', item.size === null ? undefined : `${item.size} bytes (${size(item.size)})`],
    ['attached', attached === null ? undefined : count(attached, 'time')],
    ['mapped by', mappedText(item, mapped)],
    ['used by', item.type === 'lock' ? pids(item.processes) : undefined],
    ['owner', item.uid === null ? undefined : `${item.owner} (uid ${item.uid}, gid ${item.gid})`],
    ['mode', item.mode ?? undefined],
    ['creator', item.creatorPid === null ? undefined : describePid(item.creatorPid)],
    ['last pid', item.lastPid === null ? undefined : describePid(item.lastPid)],
    ['last used', used === null ? undefined : moment(new Date(used))],
    ['made or changed', made === null ? undefined : moment(new Date(made))],
    ['record', recordText(item)],
    ['removed', item.removed ? 'yes: it is freed when the last process unmaps it' : undefined],
  ]
  return rows.flatMap(([name, text]) => (text === undefined ? [] : [[name, text] as const]))
}

function channelRows({
  type,
  messages,
  sent,
  received,
  bytes,
  capacity,
  codec,
  ended,
  senders,
  receivers,
}: Item): (readonly [name: string, value: string | undefined])[] {
  if (type !== 'channel') return []
  return [
    ['messages', `${messages} (${sent} sent, ${received} received)`],
    ['fill', `${bytes} of ${capacity} bytes (${size(capacity ?? 0)})`],
    ['codec', codec ?? undefined],
    ['senders', pids(senders)],
    ['receivers', pids(receivers)],
    ['ended', ended ? 'yes: nothing can be sent any more' : 'no'],
  ]
}

function pids(found: readonly number[] | null): string {
  return (found ?? []).map(describePid).join(', ') || 'no process'
}

/** The title above the rows. */
export function titleOf(item: Item): string {
  return labelOf(item)
}

function heldBy({ type, exclusive, shared }: Item): string | undefined {
  if (type !== 'lock') return undefined
  return exclusive ? 'by one process, exclusively' : shared ? `by ${shared}, shared` : 'by no process'
}

function kindText({ type, system }: Item): string {
  if (type === 'limit') return system === 'ledger' ? 'limit, in a ledger' : 'limit, in a System V set'
  if (type === 'channel') return 'channel, in shared memory'
  if (type === 'lock') return system === 'sysv' ? 'lock, in a System V set' : 'lock, in a file'
  const name = { sysv: 'System V', posix: 'POSIX', windows: 'Windows', ledger: 'ledger' }[system]
  return `${name} ${type === 'memory' ? 'shared memory' : 'semaphore'}`
}

function mappedText(item: Item, mapped: Processes | undefined): string | undefined {
  if (mapped === undefined || item.type === 'limit' || item.type === 'channel') return undefined
  const more = mapped.complete ? '' : ' (of the processes that this user may inspect)'
  return (mapped.pids.map(describePid).join(', ') || 'no process') + more
}

function recordText({ type, system, verified, name }: Item): string | undefined {
  if ((type !== 'semaphore' && type !== 'limit') || system === 'posix') return undefined
  if (!verified) return 'none: another program made it, or it is not finished'
  return name === null ? 'made for a raw key' : 'it carries its name'
}

function names({ pids, complete }: Processes, waiters: number): string {
  if (pids.length === 0) return complete ? '' : ' (processes that this user may not inspect)'
  return `: ${pids.map(describePid).join(', ')}${complete || pids.length >= waiters ? '' : ', ...'}`
}

function contentOf(
  ipc: Library,
  item: Item,
  offset: number,
  length: number | undefined,
): Piece | string | undefined {
  try {
    const options = { readOnly: true, owner: 'any' } as const
    const memory =
      item.name !== null && !item.removed
        ? ipc.SharedMemory.open(item.name, options)
        : ipc.SharedMemory.attach(item.id as number, options)
    try {
      const from = Math.min(offset, memory.size)
      return {
        offset: from,
        data: memory.toBuffer(from, Math.min(length ?? DEFAULT_LENGTH, memory.size - from)),
      }
    } finally {
      memory.close()
    }
  } catch (error) {
    return (error as Error).message
  }
}
