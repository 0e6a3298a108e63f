// What /proc tells of other processes, as far as it lets us look; elsewhere there is only kill(pid, 0).

import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'

import { cut, printable } from './text.js'

/** Processes, and whether there may be more that we were not allowed to look at. */
export interface Processes {
  readonly pids: readonly number[]
  readonly complete: boolean
}

/** The numbers of semop(2) and semtimedop(2) by processor. */
const SEMOP_CALLS: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ['65', '220'],
  arm64: ['193', '192'],
}

/** Whether a process runs: kill(pid, 0), which says yes to one that has ended and that its parent has not waited for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const state = stateOf(pid)
  return state !== 'Z' && state !== 'X'
}

/** The state of a process as proc(5) has it: S sleeps, T is stopped; undefined where the system does not tell. */
export function stateOf(pid: number): string | undefined {
  // `pid (program) state`: a program's name may have brackets in it.
  const status = read(`/proc/${pid}/stat`)
  return status?.slice(status.lastIndexOf(')') + 2)[0]
}

/** A process chooses its own name: one of a page is not to fill the screen. */
const PROGRAM_COLUMNS = 60

/** Programs whose first argument says more than they do. */
const INTERPRETERS = /^(node|deno|bun|python[\d.]*|ruby|perl|php|sh|bash|zsh)$/

/** What a process runs: the name of its program, and of the script that an interpreter runs. */
export function programOf(pid: number): string | undefined {
  const [program = '', first = ''] = read(`/proc/${pid}/cmdline`)?.split('\0') ?? []
  // A thread of the kernel, or one whose memory is out of reach, has only its short name.
  if (program === '') return read(`/proc/${pid}/comm`)?.trim() || undefined
  const name = basename(program)
  return INTERPRETERS.test(name) && first !== '' && !first.startsWith('-')
    ? `${name} ${basename(first)}`
    : name
}

/** `1234 node`, `1234 (dead)`. */
export function describePid(pid: number): string {
  if (!isAlive(pid)) return `${pid} (dead)`
  const program = programOf(pid)
  return program === undefined ? `${pid}` : `${pid} ${cut(printable(program), PROGRAM_COLUMNS, '...')}`
}

/** Who has a System V segment attached: the kernel shows it in the maps as a file whose inode is the id. */
export function attachedTo(id: number): Processes | undefined {
  return mapping(line => line.inode === `${id}` && line.path.startsWith('/SYSV'), true)
}

/** Who has a file of /dev/shm mapped. */
export function mappingFile(path: string): Processes | undefined {
  const status = statSync(path, { throwIfNoEntry: false })
  if (status === undefined) return undefined
  const device = `${hex(major(status.dev))}:${hex(minor(status.dev))}`
  return mapping(line => line.inode === `${status.ino}` && line.device === device, false)
}

/** Who sleeps in the kernel for a semaphore set. */
export function waitingFor(id: number): Processes | undefined {
  const calls = SEMOP_CALLS[process.arch]
  const own = namespaceOf('self')
  if (calls === undefined || own === undefined) return undefined
  return gather(pid => {
    const threads = readdirSync(`/proc/${pid}/task`)
    const waits = threads.some(thread => {
      const [call = '', set = ''] = readFileSync(`/proc/${pid}/task/${thread}/syscall`, 'utf8').split(' ')
      return calls.includes(call) && Number(set) === id
    })
    return waits && namespaceOf(pid) === own
  })
}

interface Mapping {
  readonly device: string
  readonly inode: string
  readonly path: string
}

function mapping(wanted: (line: Mapping) => boolean, ofNamespace: boolean): Processes | undefined {
  const own = namespaceOf('self')
  if (own === undefined) return undefined
  return gather(pid => {
    const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')
    const found = lines.some(line => {
      const [, , , device = '', inode = '', ...path] = line.split(/ +/)
      return wanted({ device, inode, path: path.join(' ') })
    })
    // Ids of segments count anew in every IPC namespace.
    return found && (!ofNamespace || namespaceOf(pid) === own)
  })
}

/**
 * Every process that `holds` is true of; one that ended meanwhile is none, one that refuses makes it incomplete.
 *
 * Who is found is looked at once more: between fork(2) and execve(2) a process has what its parent has.
 */
function gather(holds: (pid: number) => boolean): Processes | undefined {
  let complete = true
  const does = (pid: number) => {
    try {
      return holds(pid)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EACCES' || code === 'EPERM') complete = false
      return false
    }
  }
  const pids = (allPids() ?? []).filter(does).filter(does)
  return { pids, complete }
}

function allPids(): number[] | undefined {
  try {
    return readdirSync('/proc')
      .filter(name => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return undefined
  }
}

/** The IPC namespace of a process, as a text to compare. */
function namespaceOf(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/ipc`)
  } catch {
    return undefined
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** The halves of a device number, as makedev(3) of glibc joins them. */
function major(device: number): number {
  return Number((BigInt(device) >> 8n) & 0xfffn)
}

function minor(device: number): number {
  return Number((BigInt(device) & 0xffn) | ((BigInt(device) >> 12n) & 0xfff00n))
}

function hex(number: number): string {
  return number.toString(16).padStart(2, '0')
}
