import {
  AGE,
  ATTACHED,
  heldText,
  KIND,
  LAST_PID,
  messagesText,
  NAME,
  OWNER,
  SIZE,
  WAITERS,
} from '../core/columns.js'
import { heldPermits, heldShare, holdersText } from '../core/holders.js'
import { type Item, labelOf, madeAt } from '../core/items.js'
import { paint, unicode } from '../core/output.js'
import type { Column } from '../core/table.js'
import type { Seen } from './sampler.js'

const BAR = 10

/** The number of holders that a row names. */
const NAMED = 4

/** A column, and the order of rows by it. */
export interface TopColumn extends Column<Seen> {
  /** Its name for --sort. */
  readonly key: string
  /** The sort value: the largest number or the first text in the alphabet comes first. */
  readonly order: (a: Seen, b: Seen) => number
  /** A narrow terminal leaves out the column with the highest number first. */
  readonly dispensable: number
  /** The width that it keeps before other columns are left out for it; the width of its cells when missing. */
  readonly comfortable?: number
}

function of(
  column: Column<Seen['item']>,
  key: string,
  dispensable: number,
  order: TopColumn['order'],
): TopColumn {
  return { ...column, cell: ({ item }) => column.cell(item), key, dispensable, order }
}

const most = (value: (seen: Seen) => number | null) => (a: Seen, b: Seen) =>
  (value(b) ?? -1) - (value(a) ?? -1)
const first = (text: (seen: Seen) => string) => (a: Seen, b: Seen) =>
  text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0

/** The columns, from left to right. */
export const COLUMNS: readonly TopColumn[] = [
  of(
    KIND,
    'kind',
    3,
    first(
      ({ item }) =>
        `${['semaphore', 'limit', 'lock', 'channel', 'memory'].indexOf(item.type)} ${item.system}`,
    ),
  ),
  {
    ...of(
      NAME,
      'name',
      0,
      first(({ item }) => labelOf(item)),
    ),
    comfortable: 24,
  },
  {
    title: 'VALUE',
    key: 'value',
    dispensable: 0,
    order: most(({ item }) => item.value ?? heldPermits(item) ?? item.messages),
    least: BAR + ' 2/2 held by 12345'.length,
    comfortable: BAR + ' 2/2 held by 12345 program'.length,
    cell: value,
  },
  of(
    WAITERS,
    'waiters',
    1,
    most(({ item }) => item.waiters),
  ),
  { title: 'OPS/S', key: 'ops', side: 'right', dispensable: 2, order: most(({ rate }) => rate), cell: rate },
  of(
    SIZE,
    'size',
    4,
    most(({ item }) => item.size ?? item.capacity),
  ),
  of(
    ATTACHED,
    'attached',
    7,
    most(({ item }) => item.attached),
  ),
  of(
    OWNER,
    'owner',
    6,
    first(({ item }) => item.owner ?? ''),
  ),
  {
    ...of(
      LAST_PID,
      'pid',
      5,
      most(({ item }) => item.lastPid),
    ),
    cell: ({ item }) =>
      item.lastPidAlive === false ? paint('red', `${item.lastPid} dead`) : LAST_PID.cell(item),
  },
  of(AGE, 'age', 8, (a, b) => Date.parse(madeAt(a.item) ?? '') - Date.parse(madeAt(b.item) ?? '')),
]

/** The free units as a share of the most that were seen; for a limit, the held permits and their holders. */
function value({ item, most }: Seen): string {
  if (item.type === 'limit') return permits(item)
  if (item.type === 'channel') return fill(item)
  if (item.value === null) return heldText(item) ?? '-'
  return `${bar(item.value, most, item.value === 0)} ${item.value}/${most}`
}

/** The used part of a channel. A channel that has no room makes its senders wait. */
function fill(item: Item): string {
  const [bytes, capacity] = [item.bytes ?? 0, item.capacity ?? 0]
  return `${bar(bytes, capacity, bytes > capacity / 2)} ${messagesText(item)}`
}

function permits(item: Item): string {
  const held = heldPermits(item) ?? 0
  const all = item.permits ?? 0
  if (all === 0) return `${bar(0, 0, true)} paused`
  return `${bar(held, all, held === all)} ${heldShare(item)} ${heldBy(item)}`
}

/** A cache of the programs of holders, because reading them is slow and cells are drawn often. */
const texts = new WeakMap<Item, string>()

function heldBy(item: Item): string {
  const known = texts.get(item)
  if (known !== undefined) return known
  const holders = holdersText(item, NAMED)
  const text = holders === undefined ? 'used' : `held by ${holders}`
  texts.set(item, text)
  return text
}

/** `short` means that the next request has to wait. */
function bar(part: number, whole: number, short: boolean): string {
  const full = whole === 0 ? 0 : Math.min(BAR, Math.round((part / whole) * BAR))
  const [filled, empty] = unicode() ? ['█', '░'] : ['#', '.']
  return paint(short ? 'yellow' : 'green', filled.repeat(full)) + paint('dim', empty.repeat(BAR - full))
}

function rate({ rate, atLeast }: Seen): string {
  if (rate === 0) return '-'
  return `${atLeast ? (unicode() ? '≥' : '>') : ''}${rate < 10 ? rate.toFixed(1) : Math.round(rate)}`
}
