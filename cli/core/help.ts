import { type Command, type Flag, type Options, takesValue, type Valued } from './command.js'
import { paint } from './output.js'
import { pairs } from './table.js'
import { usageLine } from './usage.js'

const WIDTH = 100

/** What `os-ipc COMMAND --help` prints. */
export function help(command: Command): string {
  return [
    `${paint('bold', 'Usage:')} ${usageLine(command)}`,
    ...command.description.map(paragraph => wrap(paragraph, WIDTH).join('\n')),
    ...(command.operands.length > 0
      ? [
          section(
            'Arguments',
            command.operands.map(({ name, help }) => [name, `${help}.`] as const),
          ),
        ]
      : []),
    section('Options', [...optionRows(command.options), ['-h, --help', 'Show this help.']]),
    ...(command.examples.length > 0 ? [section('Examples', command.examples)] : []),
    section('Exit codes', command.exits),
  ].join('\n\n')
}

/** Options as `-t, --timeout S` with their descriptions. */
export function optionRows(options: Options): (readonly [option: string, help: string])[] {
  return Object.entries(options).map(([name, option]) => [optionTitle(name, option), option.help])
}

function optionTitle(name: string, option: Flag | Valued<unknown>): string {
  const value = takesValue(option) ? ` ${option.value}` : ''
  return `${option.short ? `-${option.short}, ` : '    '}--${name}${value}`
}

export function section(title: string, rows: readonly (readonly [string, string])[]): string {
  return [paint('bold', `${title}:`), ...pairs(rows)].join('\n')
}

/** A paragraph as lines of at most this many columns; a line that begins with a space stays a separate line. */
export function wrap(paragraph: string, columns: number): string[] {
  const lines: string[] = []
  for (const word of paragraph.split(' ')) {
    const last = lines.at(-1)
    if (last === undefined || last.length + 1 + word.length > columns) lines.push(word)
    else lines[lines.length - 1] = `${last} ${word}`
  }
  return lines
}
