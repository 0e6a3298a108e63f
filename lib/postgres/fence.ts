import { keyOf } from './key.js'
import type { Row } from './session.js'

// A fence is a transaction's number of the server. One that wrote nothing is not waited for until it is on the disk: a server
// that crashes forgets the numbers of its last moments (three times `wal_writer_delay`, 0.6 s), and would assign them again.

/** More numbers than a server assigns in that time without writing any of them to the disk. */
const FORGOTTEN = 20_000

/** How long after its start a server is young: later, those who got the forgotten numbers are long gone. */
const YOUNG = '5 minutes'

/** Held while numbers are skipped, and held shared by every session that knows that they were. Both go with a crash. */
const SKIPPING = keyOf('-skipping')
const SKIPPED = keyOf('-skipped')

/** The keys of advisory locks that are no locks of the user; no lock's name begins with a hyphen. */
export const OWN_KEYS: ReadonlySet<bigint> = new Set([SKIPPING, SKIPPED])

/** Makes a server that came up lately skip the numbers that it may have forgotten; once, however many sessions ask. */
export async function skipForgottenFences(ask: (text: string) => Promise<Row>): Promise<void> {
  // After a crash that the server survives, its start is an old one, but its statistics begin anew.
  const [isYoung, isSkipped] = await ask(`/*os-ipc */select
    greatest(pg_catalog.pg_postmaster_start_time(), pg_catalog.pg_stat_get_bgwriter_stat_reset_time())
      > clock_timestamp() - interval '${YOUNG}',
    ${holds(SKIPPED)}`)
  if (isYoung !== true) return
  if (isSkipped !== true) {
    await ask(`/*os-ipc */select pg_catalog.pg_advisory_lock(${SKIPPING})`)
    const [isDone] = await ask(`/*os-ipc */select ${holds(SKIPPED)}`)
    if (isDone !== true) {
      await ask(`/*os-ipc */do language plpgsql $$ begin
        for skipped in 1..${FORGOTTEN} loop
          perform pg_catalog.pg_current_xact_id();
          commit;
        end loop;
      end $$`)
    }
  }
  await ask(`/*os-ipc */select pg_catalog.pg_advisory_lock_shared(${SKIPPED})`)
  if (isSkipped !== true) await ask(`/*os-ipc */select pg_catalog.pg_advisory_unlock(${SKIPPING})`)
}

/** Whether a session of this database holds a key. */
function holds(key: bigint): string {
  const bits = BigInt.asUintN(64, key)
  return `exists (select from pg_catalog.pg_locks l
    where l.locktype = 'advisory' and l.objsubid = 1 and l.granted and l.mode = 'ShareLock'
      and l.classid = ${bits >> 32n} and l.objid = ${bits & 0xffffffffn})`
}
