// Facts about other processes from /proc, as far as this user may read it; elsewhere only kill(pid, 0) works.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'

import { bytes, hasSystemFiles, linkOf, namesIn } from './files.js'
import { cut, printable } from './text.js'

/** Processes, and whether further ones may exist that this user may not inspect. */
export interface Processes {
  readonly pids: readonly number[]
  readonly complete: boolean
}

/** The numbers of semop(2) and semtimedop(2) by processor. */
const SEMOP_CALLS: Partial<Record<NodeJS.Architecture, readonly string[]>> = {
  x64: ['65', '220'],
  arm64: ['193', '192'],
}

/** Whether a process exists: kill(pid, 0), which succeeds for a zombie too. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false
  }
  const state = stateOf(pid)
  return state !== 'Z' && state !== 'X'
}

/** The state of a process in the letters of proc(5): S sleeps, T is stopped; undefined where the system does not tell. */
export function stateOf(pid: number): string | undefined {
  // `pid (program) state`: a program's name may have brackets in it.
  const status = read(`/proc/${pid}/stat`)
  return status?.slice(status.lastIndexOf(')') + 2)[0]
}

/** The longest name shown, because a process chooses its own name and could fill the screen. */
const PROGRAM_COLUMNS = 60

/** Interpreters, whose first argument identifies the program better than their own name. */
const INTERPRETERS = /^(node|deno|bun|python[\d.]*|ruby|perl|php|sh|bash|zsh)$/

/** The name of the program that a process runs, and of the script of an interpreter. */
export function programOf(pid: number): string | undefined {
  const [program = '', first = ''] = read(`/proc/${pid}/cmdline`)?.split('\0') ?? []
  // A kernel thread, or a process whose memory is unreadable, has only its short name.
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

/** The processes that have a System V segment attached: the kernel shows it in their maps as a file whose inode is the id. */
export function attachedTo(id: number): Processes | undefined {
  return mapping(line => line.inode === `${id}` && line.path.startsWith('/SYSV'), true)
}

/** The processes that have a file of /dev/shm mapped. */
export function mappingFile(path: string): Processes | undefined {
  const status = hasSystemFiles ? statSync(path, { throwIfNoEntry: false }) : undefined
  if (status === undefined) return undefined
  const device = `${hex(major(status.dev))}:${hex(minor(status.dev))}`
  return mapping(line => line.inode === `${status.ino}` && line.device === device, false)
}

/** The processes that sleep in the kernel on a semaphore set. */
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
    // Every IPC namespace numbers its segments separately.
    return found && (!ofNamespace || namespaceOf(pid) === own)
  })
}

/**
 * Every process for which `holds` is true; a process that ends meanwhile is left out, an unreadable one makes the list incomplete.
 *
 * A process that is found is checked once more, because between fork(2) and execve(2) a child has the mappings of its parent.
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
  return namesIn('/proc')
    ?.filter(name => /^\d+$/.test(name))
    .map(Number)
}

/** The IPC namespace of a process, as a text to compare. */
function namespaceOf(pid: number | 'self'): string | undefined {
  return linkOf(`/proc/${pid}/ns/ipc`)
}

function read(path: string): string | undefined {
  return bytes(path)?.toString()
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
