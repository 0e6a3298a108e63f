import { paint } from './output.js'
import { pad, width } from './text.js'

/** A column of a table. */
export interface Column<Row> {
  readonly title: string
  readonly side?: 'left' | 'right'
  /** The cell; it may be painted. */
  cell(row: Row): string
}

/** Rows under their titles, as lines; the titles are capitals, for people and for `awk` alike. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map(row => columns.map(column => column.cell(row)))
  const widths = columns.map(({ title }, at) =>
    Math.max(width(title), ...cells.map(line => width(line[at] as string))),
  )
  const line = (texts: readonly string[]) =>
    texts
      .map((text, at) => pad(text, widths[at] as number, columns[at]?.side))
      .join('  ')
      .trimEnd()
  return [paint('bold', line(columns.map(({ title }) => title))), ...cells.map(line)]
}

/** Names and values below each other. */
export function pairs(entries: readonly (readonly [name: string, value: string])[], indent = '  '): string[] {
  const columns = Math.max(...entries.map(([name]) => width(name)))
  return entries.map(([name, value]) => `${indent}${pad(name, columns)}  ${value}`.trimEnd())
}
