import type { LockInfo, LockManagerSnapshot, LockMode } from '../lock/types.js'
import { OWN_KEYS } from './fence.js'
import { IS_OURS, KEY } from './key.js'
import { CLIENT_ID, readApplication, readLabel } from './label.js'
import type { NameQueue } from './queue.js'
import type { Shared } from './shared.js'

/** The requests of this process in their order, then the locks of other processes from `pg_locks`. */
export async function snapshot(shared: Shared): Promise<LockManagerSnapshot> {
  const main = await shared.sessions.main()
  const rows = await main.run(
    `select ${KEY}::text, l.mode, l.granted, a.application_name, a.query
     from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
     where ${IS_OURS} and l.pid <> all ($1::int[])
     order by l.granted desc, l.waitstart, a.backend_start, 1`,
    [`{${shared.sessions.pids}}`],
  )
  const names = new Map<bigint, string>()
  for (const { name, key } of shared.queues.values()) names.set(key, name)
  for (const row of rows) {
    for (const name of readLabel(row[4] as string | null)?.names ?? []) names.set(shared.keyOf(name), name)
  }
  const all = ownRequests(shared.queues.values())
  for (const [text, mode, granted, application] of rows) {
    const key = BigInt(text as string)
    if (OWN_KEYS.has(key)) continue
    const client = readApplication(application as string | null)
    const name = names.get(key)
    // Locks of other programs, whose keys belong to no name of this package, are left out.
    if (client === undefined && name === undefined) continue
    const info: LockInfo = {
      name: name ?? `key ${text}`,
      mode: mode === 'ExclusiveLock' ? 'exclusive' : 'shared',
      clientId: client?.clientId ?? 'unknown',
      pid: client?.pid,
    }
    all[granted === true ? 'held' : 'pending'].push(info)
  }
  return all
}

function ownRequests(queues: Iterable<NameQueue>): LockManagerSnapshot {
  const held: (readonly [number, LockInfo])[] = []
  const pending: (readonly [number, LockInfo])[] = []
  const info = (name: string, mode: LockMode): LockInfo => ({
    name,
    mode,
    pid: process.pid,
    clientId: CLIENT_ID,
  })
  for (const queue of queues) {
    for (const hold of queue.holds) {
      for (const { order } of hold.grants) held.push([order, info(queue.name, hold.mode)])
    }
    for (const { order, mode } of queue.pending) pending.push([order, info(queue.name, mode)])
  }
  const sorted = (entries: (readonly [number, LockInfo])[]) =>
    entries.sort(([a], [b]) => a - b).map(([, entry]) => entry)
  return { held: sorted(held), pending: sorted(pending) }
}
