import { hostname } from 'node:os'

import { count, size } from '../core/format.js'
import { paint, unicode } from '../core/output.js'
import { fitted, GAP, pairs, shortened, total } from '../core/table.js'
import { cutPainted, pad, printable, width, withoutStyle } from '../core/text.js'
import { COLUMNS, type TopColumn } from './columns.js'
import type { Seen } from './sampler.js'
import { KEYS, listed, selectedOf, type State } from './state.js'

/** The number of lines that are not rows: the summary, an empty line, the titles, and the foot. */
export const CHROME = 4

/** The lines of the screen: at most `rows` lines of at most `columns` columns. */
export function frame(
  state: State,
  details: readonly string[],
  { columns, rows }: { columns: number; rows: number },
  now: Date = new Date(),
): string[] {
  const body =
    state.screen === 'details'
      ? details
      : state.screen === 'keys'
        ? pairs(KEYS)
        : list(state, columns, Math.max(1, rows - CHROME))
  const height = Math.max(0, rows - 3)
  const shown = body.slice(0, height)
  const blank = Array.from({ length: height - shown.length }, () => '')
  return [fit(summary(state, now), columns), '', ...shown, ...blank, fit(foot(state), columns)].slice(0, rows)
}

/** The same without a screen: the summary, and all rows. */
export function plainFrame(state: State, now: Date = new Date()): string[] {
  const rows = listed(state)
  const widths = widthsOf(COLUMNS, rows)
  return [summary(state, now), titles(state, COLUMNS, widths), ...rows.map(row => line(COLUMNS, widths, row))]
}

function summary({ seen, paused }: State, now: Date): string {
  const semaphores = seen.filter(({ item }) => item.type === 'semaphore')
  const limits = seen.filter(({ item }) => item.type === 'limit')
  const locks = seen.filter(({ item }) => item.type === 'lock')
  const channels = seen.filter(({ item }) => item.type === 'channel')
  const memory = seen.filter(({ item }) => item.type === 'memory')
  const waiters = [...semaphores, ...limits, ...locks].reduce((sum, { item }) => sum + (item.waiters ?? 0), 0)
  const bytes = memory.reduce((sum, { item }) => sum + (item.size ?? 0), 0)
  const dead = seen.filter(({ item }) => item.lastPidAlive === false).length
  return [
    paint('bold', `os-ipc top - ${printable(hostname())} ${now.toTimeString().slice(0, 8)}`),
    ...(paused ? [paint('inverse', ' paused ')] : []),
    count(semaphores.length, 'semaphore'),
    ...(limits.length > 0 ? [count(limits.length, 'limit')] : []),
    ...(locks.length > 0 ? [count(locks.length, 'lock')] : []),
    ...(channels.length > 0 ? [count(channels.length, 'channel')] : []),
    waiters > 0 ? paint('yellow', count(waiters, 'waiter')) : 'no waiters',
    `${count(memory.length, 'memory object')}, ${size(bytes)}`,
    ...(dead > 0 ? [paint('red', count(dead, 'dead last user'))] : []),
  ].join(GAP)
}

function foot(state: State): string {
  if (state.typing) return `filter: ${printable(state.filter)}${paint('inverse', ' ')}`
  if (state.screen !== 'list') return paint('dim', 'Esc back  Ctrl-C quit')
  const filter = state.filter === '' ? '' : `${paint('inverse', ` /${printable(state.filter)} `)}  `
  const arrows = unicode() ? '↑↓' : 'up/down'
  return (
    filter +
    paint('dim', `q quit  ${arrows} select  Enter inspect  s sort  r reverse  / filter  p pause  ? keys`)
  )
}

function list(state: State, columns: number, room: number): string[] {
  const rows = listed(state)
  const selected = selectedOf(state)
  const at = selected === undefined ? 0 : rows.indexOf(selected)
  // The selected row is always on the screen, with as many rows before it as fit.
  const from = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room))
  const shown = rows.slice(from, from + room)
  const chosen = choose(COLUMNS, shown, columns)
  // A long name or many holders are cut; the numbers are not.
  const widths = fitted(chosen, widthsOf(chosen, shown), columns)
  return [
    fit(titles(state, chosen, widths), columns),
    ...shown.map(row => {
      const text = line(chosen, widths, row)
      return fit(row === selected ? paint('inverse', pad(withoutStyle(text), columns)) : text, columns)
    }),
    ...(rows.length === 0
      ? [paint('dim', state.filter === '' ? 'no objects' : 'no object has such a name')]
      : []),
  ]
}

/** The columns that fit; the least needed ones are left out first. No column is left out for a long name or many holders. */
function choose(columns: readonly TopColumn[], rows: readonly Seen[], room: number): TopColumn[] {
  let chosen = [...columns]
  const needed = () =>
    widthsOf(chosen, rows).map((wanted, at) => Math.min(wanted, chosen[at]?.comfortable ?? wanted))
  while (total(needed()) > room) {
    const first = chosen.reduce((a, b) => (b.dispensable > a.dispensable ? b : a))
    if (first.dispensable === 0) break
    chosen = chosen.filter(column => column !== first)
  }
  return chosen
}

function widthsOf(columns: readonly TopColumn[], rows: readonly Seen[]): number[] {
  return columns.map(column => Math.max(width(column.title) + 1, ...rows.map(row => width(column.cell(row)))))
}

/** The titles; an arrow stands at the column that orders the rows. */
function titles({ sort, reversed }: State, columns: readonly TopColumn[], widths: readonly number[]): string {
  const [down, up] = unicode() ? ['▼', '▲'] : ['v', '^']
  const texts = columns.map((column, at) => {
    const title = column === sort ? `${column.title}${reversed ? up : down}` : column.title
    return pad(title, widths[at] as number, column.side)
  })
  return paint('bold', texts.join(GAP))
}

function line(columns: readonly TopColumn[], widths: readonly number[], row: Seen): string {
  return columns
    .map((column, at) => {
      const room = widths[at] as number
      return pad(shortened(column, column.cell(row), room), room, column.side)
    })
    .join(GAP)
    .trimEnd()
}

/** Cuts a line that is too wide. */
function fit(text: string, columns: number): string {
  return cutPainted(text, columns, unicode() ? '…' : '~')
}
