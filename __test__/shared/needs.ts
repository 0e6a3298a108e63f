import { spawnSync } from 'node:child_process'

/** A requirement that not every machine meets, with the reason why it is missing here (`undefined`: it is met). */
export interface Need {
  readonly missing: string | undefined
}

/** Root, for other uids and for namespaces. */
export const root: Need = { missing: process.getuid?.() === 0 ? undefined : 'needs root' }

export const linux: Need = { missing: process.platform === 'linux' ? undefined : 'needs Linux' }

/** Signals that stop a process, or do nothing to it. */
export const signals: Need = {
  missing: process.platform === 'win32' ? 'needs the signals of Unix' : undefined,
}

/** The modes and the symbolic links of Unix. */
export const unixFiles: Need = {
  missing: process.platform === 'win32' ? "needs Unix's modes and links of files" : undefined,
}

/** Another program in this process. On Windows the function is there, and throws. */
export const execve: Need = {
  missing: process.execve === undefined || process.platform === 'win32' ? 'needs process.execve' : undefined,
}

/** System V sets and segments, which have keys and ids. */
export const systemV: Need = {
  missing: process.platform === 'win32' ? 'needs System V IPC' : undefined,
}

export const posixSemaphores: Need = {
  missing: process.platform === 'win32' ? 'needs POSIX semaphores' : undefined,
}

/** A system that tells what objects there are, which processes use them, and that a process died. */
export const inspection: Need = {
  missing: ['linux', 'win32'].includes(process.platform) ? undefined : 'needs Linux or Windows',
}

/** A program on the PATH. */
export function tool(name: string, debianPackage = name): Need {
  const found = spawnSync('sh', ['-c', 'command -v "$1"', 'sh', name]).status === 0
  return { missing: found ? undefined : `needs ${name}: apt-get install ${debianPackage}` }
}

/** A need that is tested by a trial, once, when a test first asks. */
export function probe(reason: string, works: () => boolean): Need {
  let worked: boolean | undefined
  return {
    get missing() {
      worked ??= works()
      return worked ? undefined : reason
    },
  }
}

/** Several needs as one: the first missing one counts, and those after it are not tested. */
export function all(...needs: readonly Need[]): Need {
  return {
    get missing() {
      return needs.find(need => need.missing !== undefined)?.missing
    },
  }
}
