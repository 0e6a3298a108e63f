// A primary that is gone, and a replica that takes its place: two real servers, streaming.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'
import pg from 'pg'

import { PostgresLocks } from '../../postgres.js'
import { PostgresServer, postgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'

/** Locks of whichever of these servers is the primary: each connection that is made tries the next one. */
function follow(t: ExecutionContext, servers: readonly PostgresServer[]): PostgresLocks {
  let turn = 0
  const locks = PostgresLocks.connect(() => {
    turn += 1
    const server = servers[turn % servers.length] as PostgresServer
    return new pg.Client({ connectionString: server.url, connectionTimeoutMillis: 5_000 })
  })
  t.teardown(() => locks.close())
  return locks
}

for (const [how, signal] of [
  ['crashes', 'SIGKILL'],
  ['is shut down', 'SIGINT'],
] as const) {
  requires(postgresServer).serial(
    `when the primary ${how}, its locks are lost, and the next ones come from the replica`,
    async t => {
      const primary = await PostgresServer.start(t)
      const replica = await primary.replica(t)
      const servers = [primary, replica]
      const [holder, waiter] = [follow(t, servers), follow(t, servers)]
      // A replica has no locks to give.
      const onReplica = PostgresLocks.connect(replica.url)
      t.teardown(() => onReplica.close())
      const refused = onReplica.request('a', { ifAvailable: true }, () => {})
      await t.throwsAsync(refused, { code: 'ERR_UNAVAILABLE', message: /replica/ })

      const events: string[] = []
      const held = Promise.withResolvers<number>()
      const lost = holder.request('a', async lock => {
        if (lock === null) throw new Error('not to be had')
        const aborted = new Promise(resolve => lock.signal.addEventListener('abort', resolve))
        held.resolve(lock.fence)
        await aborted
        events.push('lost')
        return lock.signal.reason
      })
      const fence = await held.promise
      const next = waiter.request('a', { timeout: 60_000 }, async lock => {
        events.push('granted')
        return [lock?.signal.aborted, (lock?.fence ?? 0) > fence]
      })
      while ((await holder.query()).pending.length === 0) await sleep(10)
      // A replica that lags behind the numbers of its primary would assign them again: docs/many-machines.md says so.
      await primary.sql(`select pg_logical_emit_message(true, 'os-ipc', 'written')`)
      const [row] = await primary.sql('select pg_current_wal_flush_lsn()::text as written')
      const isThere = async () => {
        const [seen] = await replica.sql('select pg_last_wal_replay_lsn() >= $1::pg_lsn as there', [
          row?.written,
        ])
        return seen?.there === true
      }
      while (!(await isThere())) await sleep(10)

      await primary.kill(signal)
      t.like(await lost, { code: 'ERR_LOCK_LOST' })
      // Nobody has it before there is a primary again.
      await sleep(300)
      t.deepEqual(events, ['lost'])
      replica.promote()
      t.deepEqual(await next, [false, true])
      t.deepEqual(events, ['lost', 'granted'])
      t.is(await holder.request('a', lock => lock?.mode), 'exclusive')

      // What docs/many-machines.md warns of: the old primary, brought back as it was, is a second server with locks of its own.
      await primary.start()
      const old = PostgresLocks.connect(primary.url)
      t.teardown(() => old.close())
      const both = await onReplica.request('a', () => old.request('a', lock => lock?.mode))
      t.is(both, 'exclusive')
    },
  )
}
