import { keyOf } from './key.js'
import type { Row } from './session.js'

// A fence is a transaction number of the server. The server does not wait until a transaction that wrote nothing is on disk:
// after a crash it has forgotten the numbers of its last 0.6 s (three times `wal_writer_delay`) and would assign them again.

/** A number of transactions: more than a server assigns within those 0.6 s without writing any of them to the disk. */
const FORGOTTEN = 20_000

/** The age up to which a server counts as young. After that, the holders of forgotten numbers have ended long ago. */
const YOUNG = '5 minutes'

/** The first is held while numbers are skipped; each session shares the second once they are. Both vanish in a crash. */
const SKIPPING = keyOf('-skipping')
const SKIPPED = keyOf('-skipped')

/** The keys of advisory locks that are not locks of the user; no lock's name begins with a hyphen. */
export const OWN_KEYS: ReadonlySet<bigint> = new Set([SKIPPING, SKIPPED])

/**
 * Writes the skipped numbers to the disk: a second crash would forget them otherwise. A commit that wrote something waits for
 * the disk, where `synchronous_commit` is not off; the message is for nobody.
 */
const FLUSH = `begin
          perform pg_catalog.set_config('synchronous_commit', 'local', true)
            where pg_catalog.current_setting('synchronous_commit') = 'off';
          perform pg_catalog.pg_logical_emit_message(true, 'os-ipc', '');
        exception when insufficient_privilege then null;
        end;
        commit;`

/** Makes a server that started lately skip the numbers that it may have forgotten; once for all sessions. */
export async function skipForgottenFences(ask: (text: string) => Promise<Row>): Promise<void> {
  // After a crash that the server survives, its start time is old, but its statistics begin anew.
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
        ${FLUSH}
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
