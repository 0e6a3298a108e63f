// Kernel objects that outlive a process, listed by the kernel itself and not by os-ipc.

import { existsSync, readdirSync, readFileSync } from 'node:fs'

import { Limit, list, SharedMemory } from 'os-ipc'

const TABLES = [
  ['semaphore set', '/proc/sysvipc/sem'],
  ['System V segment', '/proc/sysvipc/shm'],
]

/** Whether the kernel itself lists its objects, in `ipcs` and /dev/shm. */
export const hasTables = process.platform === 'linux'

/** One line for each object. Empty if the platform has no such tables. */
export function snapshot() {
  if (!hasTables) return new Set()
  const rows = TABLES.filter(([, table]) => existsSync(table)).flatMap(([what, table]) => {
    const [, ...lines] = readFileSync(table, 'utf8').trim().split('\n')
    return lines.map(line => `${what} ${line.trim().split(/\s+/).slice(0, 2).reverse().join(', key ')}`)
  })
  const files = existsSync('/dev/shm') ? readdirSync('/dev/shm').map(file => `/dev/shm/${file}`) : []
  return new Set([...rows, ...files])
}

/**
 * The objects that are left of a run. Other programs create and remove objects meanwhile, so an object counts as ours
 * by its name or, for a semaphore set, by the id that the kernel gave it.
 */
export function leftOf(name, semaphoreSet, before) {
  const ours = line => line.includes(name) || line.startsWith(`semaphore set ${semaphoreSet}, `)
  return [...[...snapshot()].filter(line => !before.has(line) && ours(line)), ...stillOpens(name)]
}

/** The objects of the run that a name still finds. */
function stillOpens(name) {
  const found = []
  const attempts = [
    [`${name}-limit`, () => Limit.open(`${name}-limit`).close()],
    [`${name}-file`, () => SharedMemory.open(`${name}-file`).close()],
    [`${name}-board`, () => SharedMemory.open(`${name}-board`).close()],
  ]
  for (const [object, attempt] of attempts) {
    try {
      attempt()
      found.push(object)
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
  }
  return [...found, ...listed(name)]
}

function listed(name) {
  try {
    const { semaphores, limits, memory } = list()
    return [...semaphores, ...limits, ...memory].flatMap(object =>
      object.name?.startsWith(name) ? [object.name] : [],
    )
  } catch (error) {
    if (error.code === 'ERR_NOT_SUPPORTED') return []
    throw error
  }
}
