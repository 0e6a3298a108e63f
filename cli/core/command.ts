import type { ExitMeaning } from './exit.js'
import type { Word } from './words.js'

/** The package's own public API; loaded by the commands that want it, and only then. */
export type Library = typeof import('../../index.js')

/** What a shell offers for an operand or a value. */
export type Completion =
  | 'semaphore'
  | 'limit'
  | 'memory'
  | 'object'
  | 'lock'
  | 'command'
  | 'file'
  | readonly string[]

/** An option without a value. */
export interface Flag {
  readonly help: string
  readonly short?: string
}

/** An option with a value, and how its text is read; `read` throws a Failure that names the option. */
export interface Valued<T> extends Flag {
  /** How help calls the value: `S`, `BYTES`. */
  readonly value: string
  readonly complete?: Completion
  read(text: string, option: string): T
}

export type Options = Readonly<Record<string, Flag | Valued<unknown>>>

/** What the options were given: false for a flag that was not. */
export type Values<O extends Options> = {
  readonly [K in keyof O]: O[K] extends Valued<infer T> ? T | undefined : boolean
}

/** What stands on the command line without a dash. */
export interface Operand {
  /** As help shows it: `NAME`. */
  readonly name: string
  readonly help: string
  readonly optional?: boolean
  readonly many?: boolean
  readonly complete?: Completion
}

/** What a command is called with. */
export interface Call<O extends Options> {
  readonly options: Values<O>
  readonly operands: readonly string[]
  /** What stands after `--`, for commands that run another one. */
  readonly command: readonly Word[]
  readonly ipc: Library
}

/** A command: all that help, docs/cli.md and the completions say of it, and what it does. */
export interface Command<O extends Options = Options> {
  readonly name: string
  readonly operands: readonly Operand[]
  /** Whether another command follows after `--`. */
  readonly runs?: boolean
  readonly options: O
  /** Options that people look for and that the command does not have, and what to do instead. */
  readonly lacking?: Readonly<Record<string, readonly [cause: string, cure: string]>>
  /** Paragraphs. */
  readonly description: readonly string[]
  readonly examples: readonly (readonly [line: string, what: string])[]
  readonly exits: readonly ExitMeaning[]
  /** Whether it works where the native addon does not load. */
  readonly withoutLibrary?: boolean
  /** Answers the exit code; 0 when missing. */
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
