import { readdirSync, readFileSync } from 'node:fs'
import { constants } from 'node:os'

/** A thread of a process, from /proc. */
export interface Thread {
  id: number
  /** Its name: `os-ipc` for a thread of this package, `libuv-worker` for a thread of the pool. */
  name: string
  /** Whether it is blocked in semop(2). */
  inSemop: boolean
  /** Whether it is blocked in flock(2). */
  inFlock: boolean
  /** The nanoseconds that it has run. */
  ran: number
  /** Whether it blocks a signal, which then goes to the other threads. */
  blocks(signal: NodeJS.Signals): boolean
}

/** The threads of a process; none where the system does not show them (Linux only). */
export function threads(pid: number = process.pid): Thread[] {
  if (process.platform === 'win32') return []
  return readdirSync(`/proc/${pid}/task`).flatMap(id => {
    try {
      const of = (file: string) => readFileSync(`/proc/${pid}/task/${id}/${file}`, 'utf8').trim()
      const mask = BigInt(`0x${/SigBlk:\s*(\w+)/.exec(of('status'))?.[1]}`)
      const blocks = (signal: NodeJS.Signals) => ((mask >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n
      const sleepsIn = of('wchan')
      const inSemop = sleepsIn.includes('semtimedop')
      const inFlock = sleepsIn.includes('lock_inode_wait')
      const ran = Number(of('schedstat').split(' ')[0])
      return [{ id: Number(id), name: of('comm'), inSemop, inFlock, ran, blocks }]
    } catch {
      return [] // the process ended meanwhile
    }
  })
}

/** The number of threads of a process that are blocked in semop(2) or flock(2): of this package, and of libuv's pool. */
export function blocked(pid?: number): { own: number; pool: number } {
  const names = threads(pid)
    .filter(thread => thread.inSemop || thread.inFlock)
    .map(thread => thread.name)
  const own = names.filter(name => name === 'os-ipc').length
  return { own, pool: names.length - own }
}
