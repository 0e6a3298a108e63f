import { constants } from 'node:os'

import { IpcError } from '../errors.js'
import { native } from '../addon/native.js'
import { setImmediate } from '../waiting/clock.js'

/** The holders of the locks of each folder, by name, for the rest of this turn: many requests can time out at once. */
const holders = new Map<string | undefined, Map<string, Set<number>>>()

function holdersIn(folder: string | undefined): Map<string, Set<number>> {
  let known = holders.get(folder)
  if (known === undefined) {
    known = new Map()
    const requests = native.lockRequests(folder)
    for (const { name, held, pid } of typeof requests === 'string' ? [] : requests) {
      if (!held || pid === undefined) continue
      const pids = known.get(name)
      if (pids === undefined) known.set(name, new Set([pid]))
      else pids.add(pid)
    }
    holders.set(folder, known)
    setImmediate(() => holders.delete(folder)).unref()
  }
  return known
}

/** The error of a request that timed out; its hint names the processes that hold the lock, as far as they are known. */
export function lockTimedOut(name: string, folder: string | undefined): IpcError {
  const all = [...(holdersIn(folder).get(name) ?? [])]
  const who =
    all.length === 0
      ? 'another process holds it'
      : `held by ${all.length === 1 ? 'process' : 'processes'} ${all.join(', ')}`
  return new IpcError('ETIMEDOUT', `the lock '${name}' was not granted in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: `${who}: locks.query() and \`os-ipc query\` list the holders`,
  })
}
