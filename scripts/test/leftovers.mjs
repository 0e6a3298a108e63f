// The kernel objects that outlive a process: System V semaphores and segments, and the files of /dev/shm.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

import { output } from '../run.mjs'

/** A line for every object of this moment. */
export function snapshot() {
  if (process.platform !== 'linux') return ipcs()
  return new Set([
    ...table('/proc/sysvipc/sem', 'semaphore set'),
    ...table('/proc/sysvipc/shm', 'segment'),
    ...readdirSync('/dev/shm').map(name => `/dev/shm/${name}`),
  ])
}

/** The objects that were not there before. */
export function leftovers(before) {
  return [...snapshot()].filter(line => !before.has(line))
}

/** Prints the objects that were not there before, and returns whether there are none. */
export function nothingLeft(before) {
  // Outside of the namespace, the locks may belong to other programs.
  if (process.env.OS_IPC_ISOLATED) removeLocksOfKilled()
  const left = leftovers(before)
  for (const object of left) console.error(`os-ipc: the tests left behind: ${object}`)
  return left.length === 0
}

/** Removes the locks of killed processes. Such a lock stays, free, until its next user removes it (docs/locks.md). */
function removeLocksOfKilled() {
  const { capabilities, list } = createRequire(import.meta.url)('../../index.cjs')
  // A process that is killed while it asks the kernel about undo leaves one set; the next process that asks removes it.
  void capabilities.limits.crashRecovery
  for (const { name, id, exclusive, shared, waiters, processes } of list().locks) {
    if (exclusive || shared !== 0 || waiters !== 0 || processes.length > 0) continue
    console.log(`os-ipc: the lock ${JSON.stringify(name)} is one of a killed process`)
    output('ipcrm', ['-s', `${id}`])
  }
}

function table(file, what) {
  const [, ...rows] = readFileSync(file, 'utf8').trim().split('\n')
  return rows.map(row => {
    const [key, id] = row.trim().split(/\s+/)
    return `${what} ${id}, key ${key}`
  })
}

function ipcs() {
  const objects = (output('ipcs', ['-s', '-m']) ?? '').split('\n').filter(line => /^[ms]\s/.test(line))
  return new Set(objects)
}
