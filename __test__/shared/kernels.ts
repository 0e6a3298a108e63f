// Kernels with fewer features than Linux, for a child process.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { all, linux, type Need, probe, tool } from './needs.ts'
import type { Surroundings } from './surroundings.ts'

const sources = fileURLToPath(new URL('./fixtures/kernels/', import.meta.url))

let folder: string | undefined

/** Compiles a source once, into a folder that is removed with this process. */
function compiled(source: string, ...options: string[]): string {
  if (folder === undefined) {
    const made = mkdtempSync(join(tmpdir(), 'os-ipc-kernels-'))
    process.once('exit', () => rmSync(made, { recursive: true, force: true }))
    folder = made
  }
  const target = join(folder, source.replace(/\.c$/, options.includes('-shared') ? '.so' : ''))
  const { status, stderr } = spawnSync('cc', [...options, '-o', target, join(sources, source)], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(`cc ${source}: ${stderr}`)
  return target
}

const compiler = all(linux, tool('cc', 'gcc'))

let library: string | undefined
let filter: string | undefined
const refuse = () => (filter ??= compiled('refuse.c'))

/** A kernel that accepts `SEM_UNDO` and ignores it, as gVisor does. */
export function withoutUndo(): Surroundings {
  return surroundings(
    all(
      compiler,
      probe('needs a C library with LD_PRELOAD', () => {
        library ??= compiled('without-undo.c', '-shared', '-fPIC')
        return spawnSync('env', [`LD_PRELOAD=${library}`, 'true']).status === 0
      }),
    ),
    argv => ['env', `LD_PRELOAD=${library}`, ...argv],
  )
}

/** A filter of system calls that answers this errno to System V calls, or to every new process. */
export function refusing(what: 'sysv' | 'processes', code: keyof typeof constants.errno): Surroundings {
  const prefix = () => [refuse(), what, String(constants.errno[code])]
  return surroundings(
    all(
      compiler,
      probe('needs seccomp', () => {
        const [program = '', ...rest] = prefix()
        return spawnSync(program, [...rest, 'true']).status === 0
      }),
    ),
    argv => [...prefix(), ...argv],
  )
}

function surroundings(need: Need, wrap: Surroundings['wrap']): Surroundings {
  return {
    get missing() {
      return need.missing
    },
    wrap,
  }
}
