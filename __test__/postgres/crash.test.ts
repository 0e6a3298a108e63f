// Locks on PostgreSQL while clients and servers stop or die: two processes never act under an exclusive lock.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { child } from '../shared/child.ts'
import { Crowd } from '../shared/crowd.ts'
import { postgresServer, PostgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import { now } from '../shared/turns.ts'
import { until } from '../shared/until.ts'

const CLIENTS = 4
const DEAD_AFTER = 3_000

/** Milliseconds longer than `deadAfter`: the holder of the lock loses it. */
const TOO_LONG = DEAD_AFTER * 1.2

const server = PostgresServer.forAll(test)

function crowd(t: ExecutionContext): Promise<Crowd> {
  return Crowd.of(t, CLIENTS, {
    permits: 1,
    start: (name, memory, slot) => {
      const args = [server.url, name, DEAD_AFTER, memory, slot]
      return child(t, 'postgres/work.ts', { args, limit: 110_000 })
    },
    isLong: ({ first, last }) => last - first > DEAD_AFTER / 10 && now() - last < 100,
  })
}

const declare = requires(postgresServer)

declare.serial('two clients never act under a lock while clients are killed at any moment', async t => {
  const workers = await crowd(t)
  for (let kills = 0; kills < 40; kills += 1) {
    await sleep(Math.random() * 30)
    await workers.replace(kills % CLIENTS)
  }
  await workers.progress('after the kills')
  await workers.end()
  workers.check(12)
  await until('no session is left', async () => (await server.sessions()) === 0)
})

declare.serial('two clients never act under a lock while clients are stopped and continued', async t => {
  const workers = await crowd(t)
  for (const pause of [TOO_LONG, DEAD_AFTER / 4]) {
    await workers.longTurn()
    for (const client of workers.clients) client.kill('SIGSTOP')
    await sleep(pause)
    for (const client of workers.clients) client.kill('SIGCONT')
    await workers.progress(`after ${pause} ms`)
  }
  t.true((await workers.end()) > 0)
  workers.check(12)
})

declare.serial('two clients never act under a lock while the server ends sessions', async t => {
  const workers = await crowd(t)
  for (let round = 0; round < 12; round += 1) {
    await server.terminateSessions(round % 3 > 0)
    await workers.progress('after the end of sessions', 2)
  }
  t.true((await workers.end()) > 0)
  workers.check(12)
})

declare.serial(
  'two clients never act under a lock while the server is stopped, restarted and killed',
  async t => {
    const workers = await crowd(t)
    await workers.longTurn()
    server.pause()
    await sleep(TOO_LONG)
    server.resume()
    await workers.progress('after a stop')
    for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
      await server.kill(signal)
      await server.start()
      await workers.progress(`after ${signal}`)
    }
    t.true((await workers.end()) > 0)
    workers.check(12)
  },
)
