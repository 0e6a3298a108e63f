import { paint, unicode } from './output.js'
import { cutMiddle, cutPainted, pad, width, withoutStyle } from './text.js'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly side?: 'left' | 'right'
  /** The least number of characters of a cell that a too wide table shows. Cells without it are never cut. */
  readonly least?: number
  /** The end at which its cells are cut; the right end when missing. */
  readonly cut?: 'middle'
  /** A table that is too wide even with cut cells leaves out the column with the highest number first; none without a number. */
  readonly dispensable?: number
  /** The cell; it may be painted. */
  cell(row: Row): string
}

/**
 * Rows under their titles, as lines; the titles are capitals, for people and for `awk` alike.
 *
 * When the lines are wider than `room`, columns that may be cut become narrower, and then dispensable columns are left out.
 */
export function table<Row>(
  all: readonly Column<Row>[],
  rows: readonly Row[],
  room: number = Number.POSITIVE_INFINITY,
): string[] {
  const columns = needed(all, rows, room)
  const cells = rows.map(row => columns.map(column => column.cell(row)))
  const wanted = columns.map(column => wantedWidth(column, rows))
  const widths = fitted(columns, wanted, room)
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => pad(text, widths[at] as number, columns[at]?.side))
      .join(GAP)
      .trimEnd()
  const fit = (texts: readonly string[]) =>
    texts.map((text, at) => shortened(columns[at] as Column<Row>, text, widths[at] as number))
  return [
    paint('bold', line(fit(columns.map(({ title }) => title)))),
    ...cells.map(texts => line(fit(texts))),
  ]
}

function wantedWidth<Row>({ title, cell }: Column<Row>, rows: readonly Row[]): number {
  return Math.max(width(title), ...rows.map(row => width(cell(row))))
}

/** The columns that fit when each is as narrow as it may be; the least needed ones are left out first. */
function needed<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  room: number,
): readonly Column<Row>[] {
  const narrowest = columns.map(column => leastWidth(column, wantedWidth(column, rows)))
  if (total(narrowest) <= room) return columns
  const least = columns.reduce((a, b) => ((b.dispensable ?? 0) > (a.dispensable ?? 0) ? b : a))
  if (least.dispensable === undefined) return columns
  return needed(
    columns.filter(column => column !== least),
    rows,
    room,
  )
}

/** Between two columns. */
export const GAP = '  '

/** The width of a line of columns. */
export function total(widths: readonly number[]): number {
  return widths.reduce((sum, each) => sum + each, 0) + GAP.length * (widths.length - 1)
}

/** The least width of a column. */
function leastWidth({ least }: Pick<Column<never>, 'least'>, wanted: number): number {
  return Math.min(wanted, least ?? wanted)
}

/** The widths of columns in this room. The widest column that may be cut becomes narrower first. */
export function fitted(
  columns: readonly Pick<Column<never>, 'least'>[],
  wanted: readonly number[],
  room: number,
): number[] {
  const widths = [...wanted]
  const spare = (at: number) => (widths[at] as number) - leastWidth(columns[at] ?? {}, widths[at] as number)
  while (total(widths) > room) {
    const cuttable = widths.map((_, at) => at).filter(at => spare(at) > 0)
    if (cuttable.length === 0) break
    const widest = cuttable.reduce((a, b) => ((widths[b] as number) > (widths[a] as number) ? b : a))
    widths[widest] = (widths[widest] as number) - 1
  }
  return widths
}

/** A cell cut or padded to this width. */
export function shortened({ cut }: Pick<Column<never>, 'cut'>, cell: string, room: number): string {
  if (width(cell) <= room) return cell
  const ellipsis = unicode() ? '…' : '~'
  return cut === 'middle' ? cutMiddle(withoutStyle(cell), room, ellipsis) : cutPainted(cell, room, ellipsis)
}

/** Names and values, one pair per line. */
export function pairs(entries: readonly (readonly [name: string, value: string])[], indent = '  '): string[] {
  const columns = Math.max(...entries.map(([name]) => width(name)))
  return entries.map(([name, value]) => `${indent}${pad(name, columns)}  ${value}`.trimEnd())
}
