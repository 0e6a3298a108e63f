import type { ExitMeaning } from './exit.js'
import type { Word } from './words.js'

/** The package's public API; only the commands that need it load it. */
export type Library = typeof import('../../index.js')

/** The kind of words that a shell offers for an operand or a value. */
export type Completion =
  | 'semaphore'
  | 'limit'
  | 'memory'
  | 'object'
  | 'lock'
  | 'channel'
  | 'command'
  | 'file'
  | readonly string[]

/** An option without a value. */
export interface Flag {
  readonly help: string
  readonly short?: string
}

/** An option with a value; `read` parses its text and throws a Failure that names the option. */
export interface Valued<T> extends Flag {
  /** The name of the value in the help: `S`, `BYTES`. */
  readonly value: string
  readonly complete?: Completion
  read(text: string, option: string): T
}

export type Options = Readonly<Record<string, Flag | Valued<unknown>>>

/** The values of the options: false for a missing flag. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Valued<infer T> ? T | undefined : boolean
}

/** An argument without a dash. */
export interface Operand {
  /** The name in the help: `NAME`. */
  readonly name: string
  readonly help: string
  readonly optional?: boolean
  readonly many?: boolean
  readonly complete?: Completion
}

/** The arguments of a command. */
export interface Call<O extends Options> {
  readonly options: Values<O>
  readonly operands: readonly string[]
  /** The words after `--`, for commands that run another one. */
  readonly command: readonly Word[]
  readonly ipc: Library
}

/** A command: the data for help, docs/cli.md and the completions, and the function that runs it. */
export interface Command<O extends Options = Options> {
  readonly name: string
  readonly operands: readonly Operand[]
  /** Whether a command to run follows after `--`. */
  readonly runs?: boolean
  readonly options: O
  /** Options that users expect but that the command does not have, each with the alternative. */
  readonly lacking?: Readonly<Record<string, readonly [cause: string, cure: string]>>
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly examples: readonly (readonly [line: string, what: string])[]
  readonly exits: readonly ExitMeaning[]
  /** Whether it works where the native addon does not load. */
  readonly withoutLibrary?: boolean
  /** Returns the exit code; 0 when missing. */
  // A method, so that a Command of particular options is a Command of any.
  run(call: Call<O>): number | undefined | Promise<number | undefined>
}

/** A command, with the types of its options worked out. */
export function command<const O extends Options>(definition: Command<O>): Command<O> {
  return definition
}

export function takesValue(option: Flag | Valued<unknown>): option is Valued<unknown> {
  return 'read' in option
}
