import { readFileSync } from 'node:fs'
import { debuglog, inspect } from 'node:util'

import { COMMANDS, type Entry } from './commands.js'
import type { Command, Library } from './core/command.js'
import { EXIT } from './core/exit.js'
import { explain } from './core/explain.js'
import { type Failure, usage } from './core/failure.js'
import { help, section } from './core/help.js'
import { note, paint, print, printError } from './core/output.js'
import { parse } from './core/parse.js'
import { closest } from '../lib/closest.js'
import { exactArguments, texts } from './core/words.js'

const debug = debuglog('os-ipc')

/** Runs one command line, and returns the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  tellWarnings()
  const [first = '', ...rest] = args
  try {
    if (first === '') {
      printError(overview().split('\n'))
      return EXIT.usage
    }
    if (first === '--version' || first === '-V') return version()
    if (first === '--help' || first === '-h' || first === 'help') return await showHelp(rest)
    return await execute(find(first), rest)
  } catch (error) {
    return complain(error)
  }
}

/** Prints a warning of the library in one line; Node prints other warnings in its own three lines. */
function tellWarnings(): void {
  const others = process.listeners('warning')
  process.removeAllListeners('warning').on('warning', warning => {
    const { code, message } = warning as Error & { code?: string }
    // The commands report this themselves, and name the command that changes it.
    if (code === 'OS_IPC_PERMITS_DIFFER') return
    if (code?.startsWith('OS_IPC_')) note(message)
    else for (const listener of others) listener(warning)
  })
}

async function execute(entry: Entry, args: readonly string[]): Promise<number> {
  const command = await entry.load()
  let ipc: Library | undefined
  try {
    const words = exactArguments(args)
    const { help: wantsHelp, ...parsed } = parse(command, args)
    const end = words.length - parsed.command.length
    texts(words.slice(0, end))
    if (wantsHelp) {
      print(help(command).split('\n'))
      return EXIT.ok
    }
    // Commands that need no addon work where it does not load.
    ipc = command.withoutLibrary ? undefined : await loadLibrary()
    return (await command.run({ ...parsed, command: words.slice(end), ipc: ipc as Library })) ?? EXIT.ok
  } catch (error) {
    return complain(error, command, ipc)
  }
}

/** A command reads the capabilities before any call, so this check reports first that the addon did not load. */
async function loadLibrary(): Promise<Library> {
  const ipc = await import('../index.js')
  const { reason } = ipc.capabilities
  if (reason !== undefined) throw new ipc.IpcError('ERR_NATIVE_BINDING', reason)
  return ipc
}

function complain(error: unknown, command?: Command, ipc?: Library): number {
  if (debug.enabled) printError(inspect(error).split('\n'))
  const failure = explain(error, ipc)
  printError(`${paint('red', 'os-ipc:', process.stderr)} ${failure.line}`)
  return exitOf(failure, command)
}

/** Exit codes below `EXIT.timeout` belong to the command that os-ipc runs. */
function exitOf({ exit }: Failure, command: Command | undefined): number {
  return command?.runs && exit < EXIT.timeout ? EXIT.notRun : exit
}

function find(name: string): Entry {
  const found = COMMANDS.find(entry => entry.name === name)
  if (found) return found
  const meant = closest(
    name,
    COMMANDS.map(entry => entry.name),
  )
  if (name.startsWith('-'))
    throw usage(`there is no option ${name} before the command`, 'os-ipc --help shows all')
  throw usage(`there is no command '${name}'`, meant ? `did you mean ${meant}?` : 'os-ipc --help shows all')
}

async function showHelp([name]: readonly string[]): Promise<number> {
  const text = name === undefined || name.startsWith('-') ? overview() : help(await find(name).load())
  print(text.split('\n'))
  return EXIT.ok
}

function version(): number {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  print(JSON.parse(manifest).version)
  return EXIT.ok
}

/** What `os-ipc --help` prints. */
export function overview(): string {
  return [
    `${paint('bold', 'Usage:')} os-ipc COMMAND [OPTIONS] [ARGUMENTS]`,
    'Looks after the named semaphores, limits, locks, channels and shared memory of this host.',
    section(
      'Commands',
      COMMANDS.map(({ name, summary }) => [name, summary] as const),
    ),
    [
      'A NAME is a name (jobs and /jobs are the same), or a System V key (42, 0x2a).',
      'os-ipc COMMAND --help tells more; os-ipc --version tells the version.',
    ].join('\n'),
  ].join('\n\n')
}
