// The kernel objects that outlive a process: System V semaphores and segments, and the files of /dev/shm.

import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { output, root } from '../run.mjs'

/** The milliseconds that a killed process has to end. */
const LOOKS_FOR = 10_000

/** A process that waits for a limit has an inbox: it removes those of the dead, and its own when it ends. */
const WAIT = `
  const { capabilities, Limit } = require(${JSON.stringify(join(root, 'index.cjs'))})
  if (!capabilities.limits.engines.includes('ledger')) process.exit()
  const limit = Limit.create('/leftovers-' + process.pid, { permits: 0, engine: 'ledger' })
  try {
    limit.acquireSync({ timeout: 1 })
  } catch {} finally {
    limit.unlink()
  }`

/** A line for every object of this moment. */
export function snapshot() {
  if (process.platform !== 'linux') return ipcs()
  return new Set([
    ...table('/proc/sysvipc/sem', 'semaphore set'),
    ...table('/proc/sysvipc/shm', 'segment'),
    ...readdirSync('/dev/shm').map(name => `/dev/shm/${name}`),
  ])
}

/** Removes the inboxes of dead processes, as every process that waits for a limit does. */
export function sweepInboxes() {
  output('node', ['-e', WAIT])
}

/** The objects that were not there before. */
export function leftovers(before) {
  return [...snapshot()].filter(line => !before.has(line))
}

/**
 * Prints the objects that were not there before, and returns whether there are none. A killed process may need a moment to
 * end, so it looks for a while.
 */
export async function nothingLeft(before) {
  const deadline = performance.now() + LOOKS_FOR
  let left
  for (;;) {
    // Outside of the namespace, the locks may belong to other programs.
    if (process.env.OS_IPC_ISOLATED) removeWhatKilledLeave()
    left = leftovers(before)
    if (left.length === 0 || performance.now() > deadline) break
    await sleep(200)
  }
  for (const object of left) console.error(`os-ipc: the tests left behind: ${object}`)
  return left.length === 0
}

/**
 * Removes what the next user removes: locks of killed processes (docs/locks.md), the set of a process that is killed while it
 * asks the kernel about undo, and the inboxes of processes that are killed while they wait for a limit.
 */
function removeWhatKilledLeave() {
  const { capabilities, list } = createRequire(import.meta.url)('../../index.cjs')
  void capabilities.limits.crashRecovery
  sweepInboxes()
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
