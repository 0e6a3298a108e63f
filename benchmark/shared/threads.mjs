import { readdirSync, readFileSync } from 'node:fs'

/** The number of this package's threads in this process: their name is `os-ipc`. */
export function ownThreads() {
  return readdirSync('/proc/self/task').filter(thread => nameOf(thread) === 'os-ipc').length
}

function nameOf(thread) {
  try {
    return readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim()
  } catch {
    return undefined // the thread ended meanwhile
  }
}
