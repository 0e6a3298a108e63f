import { type Child, type ChildOptions, program } from './child.ts'
import type { Teardown } from './names.ts'
import type { Need } from './needs.ts'
import { prepared } from './prepared.ts'

/** A program in another language that shares semaphores and memory with this package; `peers/README.md` has its commands. */
export interface Peer extends Need {
  readonly language: 'python' | 'c' | 'go'
  /**
   * Runs one command to its end and returns its line: `'ok'`, `'false'`, a number, hex.
   *
   * @throws {PeerError} When the peer's call failed.
   */
  run(t: Teardown, ...command: readonly (string | number)[]): Promise<string>
  /** Starts a command that takes a while, such as a wait; {@link answer} is its line. */
  start(t: Teardown, command: readonly (string | number)[], options?: Omit<ChildOptions, 'args'>): Child
}

/** A peer's call failed; `code` is its errno. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
  readonly code: string

  constructor(code: string, command: string) {
    super(`${code}: ${command}`)
    this.code = code
  }
}

export const python: Peer = peer('python')
export const c: Peer = peer('c')
export const go: Peer = peer('go')

export const peers: readonly Peer[] = [python, c, go]

/** The last line of a peer's output; waits for its end. */
export async function answer(started: Child): Promise<string> {
  const { code, stdout, stderr } = await started.exit
  const line = stdout.trimEnd()
  if (code === 0) return line
  if (code === 1 && line.startsWith('errno '))
    throw new PeerError(line.slice('errno '.length), started.command)
  throw new Error(`${started.command} ended with ${code}\n${stdout}${stderr}`)
}

function peer(language: Peer['language']): Peer {
  const { command = [], missing } = prepared(language)
  const start: Peer['start'] = (t, args, options = {}) => {
    if (missing !== undefined)
      throw new Error(`no ${language} peer: ${missing}; the test needs requires(...)`)
    return program(t, command, { ...options, args })
  }
  return {
    language,
    missing: missing && `needs the ${language} peer: ${missing}`,
    start,
    run: (t, ...args) => answer(start(t, args)),
  }
}
