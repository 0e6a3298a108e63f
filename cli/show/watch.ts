import { setTimeout as sleep } from 'node:timers/promises'

import { hexDump, hexLine, LINE_BYTES } from '../core/hex.js'
import { labelOf } from '../core/items.js'
import { draw, isScreen, paint, print } from '../core/output.js'
import { pairs } from '../core/table.js'
import { cut, printable } from '../core/text.js'
import { type Details, rowsOf, titleOf } from './details.js'

/** Reads the watched objects again; returns none when all of them are removed. */
export type Look = () => readonly Details[]

/** Shows details `times` times, with the changes since the look before. */
export async function watch(look: Look, interval: number, times: number): Promise<void> {
  const screen = isScreen()
  let before = new Map<string, Details>()
  let lines = 0
  for (let turn = 0; turn < times; turn++) {
    if (turn > 0) await sleep(interval)
    const now = look()
    if (screen) {
      // Draws over the last frame, without an alternate screen or raw mode that would have to be restored.
      const room = (process.stdout.rows || 24) - 1
      const drawn = now.flatMap(details => drawing(details, before.get(identity(details)))).slice(0, room)
      draw([
        { control: `${lines > 0 ? `\x1b[${lines}A` : ''}\x1b[J\x1b[?7l` },
        ...drawn.flatMap(line => [{ line }, { control: '\n' }]),
        { control: '\x1b[?7h' },
      ])
      lines = drawn.length
    } else {
      for (const details of now)
        for (const line of report(details, before.get(identity(details)))) print(line)
    }
    before = new Map(now.map(details => [identity(details), details]))
    if (now.length === 0) return
  }
}

/** The complete details, with the changes since `before` marked. */
export function drawing(details: Details, before?: Details): string[] {
  const known = before && new Map(rowsOf(before))
  const rows = rowsOf(details).map(([name, value]) => {
    const changed = known !== undefined && withoutAge(known.get(name)) !== withoutAge(value)
    return [name, changed ? paint('inverse', value) : value] as const
  })
  const { content } = details
  if (content === undefined) return [paint('bold', titleOf(details.item)), ...pairs(rows)]
  const dump =
    typeof content === 'string'
      ? [paint('dim', `  ${printable(content)}`)]
      : content.offset > 0 && content.offset === details.item.size
        ? [paint('dim', `the memory ends before position ${content.offset}`)]
        : hexDump(content.data, content.offset, changedBytes(details, before), text => paint('inverse', text))
  return [paint('bold', titleOf(details.item)), ...pairs(rows), '', ...dump.map(line => `  ${line}`)]
}

/** Without a screen: the complete details once, then a line per change. */
function report(details: Details, before: Details | undefined): string[] {
  if (before === undefined) return drawing(details)
  const label = cut(labelOf(details.item), 40)
  const known = new Map(rowsOf(before))
  const rows = rowsOf(details).flatMap(([name, value]) => {
    const was = known.get(name)
    return withoutAge(was) === withoutAge(value) ? [] : [`${label}  ${name}: ${was ?? '-'} -> ${value}`]
  })
  const { content } = details
  if (content === undefined || typeof content === 'string') return rows
  const changed = changedBytes(details, before)
  const { data, offset } = content
  for (let start = 0; start < data.length; start += LINE_BYTES) {
    const touched = Array.from({ length: LINE_BYTES }, (_, at) => start + at).some(changed)
    if (touched)
      rows.push(`${label}  ${hexLine(data, start, offset, changed, text => paint('inverse', text))}`)
  }
  return rows
}

function changedBytes({ content }: Details, before: Details | undefined): (index: number) => boolean {
  const was = before?.content
  if (typeof content !== 'object' || typeof was !== 'object') return () => false
  return index => index < content.data.length && content.data[index] !== was.data[index]
}

/** A time is shown with its age, and only the time is compared. */
function withoutAge(text: string | undefined): string | undefined {
  return text?.replace(/ \(\w+ ago\)$/, '')
}

function identity({ item }: Details): string {
  return `${item.type} ${item.system} ${item.id} ${item.name}`
}
