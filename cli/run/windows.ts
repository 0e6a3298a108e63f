// How a command is found and started on Windows, which has neither execve(2) nor a list of arguments.

import { statSync } from 'node:fs'
import { delimiter, extname, join } from 'node:path'

import { EXIT } from '../core/exit.js'
import { Failure } from '../core/failure.js'
import { printable } from '../core/text.js'
import type { Plan } from './plan.js'

/** Programs, which Windows starts itself, and batch files, which cmd.exe runs. */
const PROGRAMS = ['.com', '.exe']
const BATCHES = ['.bat', '.cmd']

/** Commands that are parts of cmd.exe, and no files. */
const PARTS_OF_CMD = [
  'call',
  'copy',
  'del',
  'dir',
  'echo',
  'exit',
  'mkdir',
  'move',
  'rmdir',
  'set',
  'start',
  'type',
]

/**
 * Finds the file of a program as a shell does: in the folders of PATH, with the endings of PATHEXT. Like PowerShell, it does not
 * search the current folder.
 *
 * @throws {Failure} 127 when there is none, 126 when Windows cannot execute it.
 */
function findProgram(name: string): string {
  const isPath = /[\\/:]/.test(name)
  const folders = isPath ? [''] : foldersOf(process.env.PATH ?? '')
  const ending = extname(name).toLowerCase()
  const canRun = [...PROGRAMS, ...BATCHES].includes(ending)
  const endings = [...(canRun ? [''] : []), ...pathExt()]
  for (const folder of folders) {
    const base = isPath ? name : join(folder, name)
    const found = endings.map(each => `${base}${each}`).find(isFile)
    if (found !== undefined) return found
  }
  const label = `'${printable(name)}'`
  if (isPath && isFile(name)) {
    const cure =
      ending === '.ps1' ? `powershell -File ${name}` : 'name the program that reads it, such as node'
    throw new Failure(
      `${label} cannot be executed: Windows runs .exe, .com, .cmd and .bat files`,
      cure,
      EXIT.notExecutable,
    )
  }
  throw new Failure(
    `there is no command ${label}`,
    isPath ? undefined : whyAbsent(name, endings),
    EXIT.notFound,
  )
}

/** The folders of PATH. One with a semicolon in its name stands in quotes. */
function foldersOf(path: string): string[] {
  const folders = path.match(/(?:"[^"]*"?|[^";])+/g) ?? []
  return folders.map(folder => folder.replaceAll('"', ''))
}

function whyAbsent(name: string, endings: readonly string[]): string {
  if (PARTS_OF_CMD.includes(name.toLowerCase())) return `it is a part of cmd: -- cmd /c ${name}`
  if (endings.some(each => isFile(`${name}${each}`)))
    return `in the current folder there is one: -- .\\${name}`
  return 'it is not on the PATH'
}

/** The endings that PATHEXT has, in its order, as far as a file with them can be started. */
function pathExt(): string[] {
  const known = (process.env.PATHEXT || '.COM;.EXE;.BAT;.CMD').toLowerCase().split(delimiter)
  return known.filter(ending => [...PROGRAMS, ...BATCHES].includes(ending))
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Plans the start of a command with exactly these words. */
export function planOnWindows([name = '', ...args]: readonly string[]): Plan {
  const program = findProgram(name)
  const env = { ...process.env } as Record<string, string>
  if (!BATCHES.includes(extname(program).toLowerCase())) return { program, args, env }
  if (args.some(arg => /[\r\n]/.test(arg))) {
    throw new Failure('a batch file cannot get an argument with a line break', undefined, EXIT.notExecutable)
  }
  const system = join(process.env.SystemRoot ?? 'C:\\Windows', 'System32')
  // Extensions are on because of `argument`, and AutoRun and delayed expansion off. With /s cmd takes away the outer quotes only.
  const line = ['"', [program, ...args].map(argument).join(' '), '"'].join('')
  return {
    program: join(system, 'cmd.exe'),
    args: ['/e:ON', '/v:OFF', '/d', '/s', '/c', line],
    env,
    verbatim: true,
  }
}

/**
 * The batch file or an argument of it in quotes, in which cmd expands nothing: a quote is doubled, and each % gets an empty variable
 * before it, so that no name of a variable stands between two of them. The standard library of Rust writes it in the same way.
 */
function argument(text: string): string {
  const inside = text
    .replaceAll(/(\\*)"/g, '$1$1""')
    .replaceAll('%', '%%cd:~,%')
    .replace(/(\\+)$/, '$1$1')
  return `"${inside}"`
}
