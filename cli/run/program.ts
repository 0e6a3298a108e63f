import { accessSync, constants, statSync } from 'node:fs'
import { delimiter } from 'node:path'

import { EXIT } from '../core/exit.js'
import { Failure } from '../core/failure.js'
import { binary, bytesOf, shown, type Word } from '../core/words.js'
import { environment } from './start.js'

/**
 * Checks that the program exists before os-ipc waits for its permit; the rules are those of execvp(3).
 *
 * @throws {Failure} 127 when the program does not exist, 126 when it cannot be executed.
 */
export function checkProgram(program: Word): void {
  const name = binary(program)
  const path = environment()
    .map(binary)
    .find(entry => entry.startsWith('PATH='))
    ?.slice('PATH='.length)
  const candidates = name.includes('/')
    ? [name]
    : (path ?? '/usr/bin:/bin').split(delimiter).map(folder => `${folder || '.'}/${name}`)
  let refused: string | undefined
  for (const file of candidates) {
    const reason = refusal(bytesOf(file))
    if (reason === undefined) return
    if (reason !== 'absent') refused ??= reason
  }
  throw refused === undefined ? notFound(program) : notExecutable(program, refused)
}

/** The failure for an error of spawn. */
export function spawnFailure(program: Word, error: NodeJS.ErrnoException): Failure {
  switch (error.code) {
    case 'ENOENT':
      return notFound(program)
    case 'EACCES':
      return notExecutable(program, 'no permission')
    default:
      return notExecutable(program, error.code ?? error.message)
  }
}

/** The reason why a file cannot be executed; undefined when it can. */
function refusal(file: Buffer): string | undefined {
  try {
    const status = statSync(file)
    if (status.isDirectory()) return 'it is a folder'
    accessSync(file, constants.X_OK)
    return status.isFile() ? undefined : 'it is not a file'
  } catch (error) {
    switch ((error as NodeJS.ErrnoException).code) {
      case 'ENOENT':
      case 'ENOTDIR':
        return 'absent'
      case 'EACCES':
        // The permission of the file or of a folder in its path is missing: the search continues, as in execvp.
        return 'it has no permission to be executed (chmod +x)'
      default:
        return (error as Error).message
    }
  }
}

function notFound(program: Word): Failure {
  return new Failure(
    `there is no command '${shown(program)}'`,
    shown(program).includes('/') ? undefined : 'it is not on the PATH',
    EXIT.notFound,
  )
}

function notExecutable(program: Word, reason: string): Failure {
  return new Failure(`'${shown(program)}' cannot be executed: ${reason}`, undefined, EXIT.notExecutable)
}
