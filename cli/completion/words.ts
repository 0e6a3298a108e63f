// The words that the completions of all shells offer, from the commands' own tables.

import { COMMANDS } from '../commands.js'
import { type Command, type Completion, takesValue } from '../core/command.js'

/** A command, with what completions need of it. */
export interface CommandWords {
  readonly name: string
  readonly summary: string
  readonly options: readonly OptionWords[]
  /** The kind of each operand; the last one repeats when the command takes many. */
  readonly operands: readonly (Completion | undefined)[]
  readonly many: boolean
  /** Whether a command to run follows after `--`. */
  readonly runs: boolean
}

export interface OptionWords {
  readonly long: string
  readonly short: string | undefined
  readonly help: string
  /** The kind of its value; undefined for a flag. */
  readonly value: { readonly name: string; readonly complete: Completion | undefined } | undefined
}

/** Every command. */
export async function commandWords(): Promise<CommandWords[]> {
  return Promise.all(COMMANDS.map(async entry => ({ ...words(await entry.load()), summary: entry.summary })))
}

function words(command: Command): Omit<CommandWords, 'summary'> {
  const help: OptionWords = { long: '--help', short: '-h', help: 'Show its help.', value: undefined }
  return {
    name: command.name,
    options: [
      ...Object.entries(command.options).map(([name, option]) => ({
        long: `--${name}`,
        short: option.short && `-${option.short}`,
        help: option.help,
        value: takesValue(option) ? { name: option.value, complete: option.complete } : undefined,
      })),
      help,
    ],
    operands: command.operands.map(({ complete }) => complete),
    many: command.operands.at(-1)?.many === true,
    runs: command.runs === true,
  }
}

/** The command line that prints the names of a kind, one per line; undefined for a kind without names. */
export function namesCommand(kind: Completion | undefined): string | undefined {
  switch (kind) {
    case 'semaphore':
      return 'os-ipc ls --names --semaphores'
    case 'limit':
      return 'os-ipc ls --names --limits'
    case 'memory':
      return 'os-ipc ls --names --memory'
    case 'lock':
      return 'os-ipc ls --names --locks'
    case 'channel':
      return 'os-ipc ls --names --channels'
    case 'object':
      return 'os-ipc ls --names'
    default:
      return undefined
  }
}

/** A text in single quotes, for any shell but fish. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
