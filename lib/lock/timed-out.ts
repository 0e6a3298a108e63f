import { constants } from 'node:os'

import { IpcError } from '../errors.js'
import { native } from '../addon/native.js'

/** The error of a request that timed out; its hint names the processes that hold the lock, as far as they are known. */
export function lockTimedOut(name: string, folder: string | undefined): IpcError {
  const requests = native.lockRequests(folder)
  const pids = new Set<number>()
  for (const request of typeof requests === 'string' ? [] : requests) {
    if (request.name === name && request.held && request.pid !== undefined) pids.add(request.pid)
  }
  const all = [...pids]
  const who =
    all.length === 0
      ? 'another process holds it'
      : `held by ${all.length === 1 ? 'process' : 'processes'} ${all.join(', ')}`
  return new IpcError('ETIMEDOUT', `the lock '${name}' was not granted in time`, {
    errno: -constants.errno.ETIMEDOUT,
    hint: `${who}: locks.query() and \`os-ipc query\` list the holders`,
  })
}
