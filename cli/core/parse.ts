import { parseArgs } from 'node:util'

import { type Command, type Options, takesValue, type Values } from './command.js'
import { type Failure, usage } from './failure.js'
import { closest } from '../../lib/closest.js'
import { usageLine } from './usage.js'

/** A parsed command line. */
export interface Parsed<O extends Options> {
  readonly help: boolean
  readonly options: Values<O>
  readonly operands: readonly string[]
  readonly command: readonly string[]
}

/** Parses the arguments of a command; throws a Failure that says what is wrong with them. */
export function parse<O extends Options>(command: Command<O>, args: readonly string[]): Parsed<O> {
  const { tokens } = parseArgs({
    args: [...args],
    options: {
      help: { type: 'boolean', short: 'h' },
      ...Object.fromEntries(
        Object.entries(command.options).map(([name, option]) => [
          name,
          { type: takesValue(option) ? 'string' : 'boolean', ...(option.short && { short: option.short }) },
        ]),
      ),
    },
    // This code reports the mistake in its own words and with a cure.
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  const end = tokens.find(({ kind }) => kind === 'option-terminator')?.index ?? args.length
  const before = tokens.filter(({ index }) => index < end)
  const after = args.slice(end + 1)
  const operands = before.flatMap(token => (token.kind === 'positional' ? [token.value] : []))
  const given = before.filter(token => token.kind === 'option')
  const parsed = {
    help: given.some(({ name }) => name === 'help'),
    operands: command.runs ? operands : [...operands, ...after],
    command: command.runs ? after : [],
  }
  if (parsed.help) return { ...parsed, options: {} as Values<O> }
  if (command.runs && after.length === 0) {
    // Most likely this is the command to run, without its `--`.
    const second = before.filter(({ kind }) => kind === 'positional')[1]
    throw commandMissing(command, operands[0], second === undefined ? [] : args.slice(second.index, end))
  }
  const values: Record<string, unknown> = {}
  for (const [name, option] of Object.entries(command.options)) {
    values[name] = takesValue(option) ? undefined : false
  }
  for (const { name, rawName, value } of given) values[name] = readOption(command, name, rawName, value)
  checkOperands(command, parsed.operands)
  return { ...parsed, options: values as Values<O> }
}

function readOption<O extends Options>(
  command: Command<O>,
  name: string,
  rawName: string,
  value: string | undefined,
): unknown {
  const option = command.options[name]
  if (option === undefined) {
    const [cause, cure] = command.lacking?.[name] ?? []
    if (cause !== undefined) throw usage(`${command.name} has no option ${rawName}: ${cause}`, cure)
    const meant = closest(
      rawName,
      [...Object.keys(command.options), 'help'].map(known => `--${known}`),
    )
    throw usage(`${command.name} has no option ${rawName}`, meant ? `did you mean ${meant}?` : see(command))
  }
  if (takesValue(option)) {
    if (value !== undefined) return option.read(value, rawName)
    throw usage(`${rawName} needs a value: ${rawName} ${option.value}`, see(command))
  }
  if (value === undefined) return true
  throw usage(`${rawName} takes no value, but got '${value}'`, see(command))
}

/** A command that runs another one needs that command after `--`. */
function commandMissing({ name }: Command, operand = 'NAME', rest: readonly string[]): Failure {
  const line = `os-ipc ${name} ${operand} -- ${rest.length > 0 ? rest.join(' ') : 'COMMAND...'}`
  return usage(`${name} needs a command after --`, line)
}

function checkOperands(command: Command, given: readonly string[]): void {
  const needed = command.operands.filter(({ optional }) => !optional)
  const missing = needed[given.length]
  if (missing !== undefined) throw usage(`${command.name} needs ${missing.help}`, usageLine(command))
  const empty = given.indexOf('')
  if (empty !== -1)
    throw usage(`${command.operands[empty]?.name ?? 'an argument'} is empty`, usageLine(command))
  if (given.length > command.operands.length && !command.operands.at(-1)?.many) {
    throw usage(`unexpected argument '${given[command.operands.length]}'`, usageLine(command))
  }
}

function see(command: Command): string {
  return `os-ipc ${command.name} --help shows all`
}
