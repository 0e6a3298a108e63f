// Permits on Redis while servers and processes stop and die: at most as many processes act as the limit has permits.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import { RedisLimit } from '../../redis.js'
import { child, type Child } from '../shared/child.ts'
import { Crowd } from '../shared/crowd.ts'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, RedisServer, redisServer } from './helpers/redis.ts'
import { requires } from '../shared/requires.ts'
import { now } from '../shared/turns.ts'

const PERMITS = 2
const CLIENTS = 4
const LEASE = 1_000

/** The number of turns that every scene waits for, at least four times. */
const TURNS = 13

/** Longer than a lease, so that a holder loses its permit. */
const TOO_LONG = LEASE * 1.6

async function crowd(t: ExecutionContext): Promise<{ server: RedisServer; workers: Crowd }> {
  const server = await RedisServer.start(t)
  const workers = await Crowd.of(t, CLIENTS, {
    permits: PERMITS,
    start: (name, memory, slot) => {
      const args = [server.url, name, PERMITS, LEASE, memory, slot]
      return child(t, 'redis/work.ts', { args, limit: 180_000 })
    },
    // A wait of two and a half leases, with more than TOO_LONG before it.
    isLong: ({ first, last }) =>
      last - first > LEASE / 5 && last - first < LEASE / 2 && now() - last < LEASE / 20,
  })
  return { server, workers }
}

requires(redisServer).serial(
  'at most as many processes as permits act while Redis is stopped and continued',
  async t => {
    const { server, workers } = await crowd(t)
    for (let round = 0; round < 3; round += 1) {
      await workers.longTurn()
      server.pause()
      await sleep(TOO_LONG)
      server.resume()
      await workers.progress('after a long stop', TURNS)
      server.pause()
      await sleep(LEASE / 4)
      server.resume()
      await workers.progress('after a short stop', TURNS)
    }
    t.true((await workers.end()) > 0)
    workers.check(3 * TURNS)
  },
)

requires(redisServer).serial(
  'at most as many processes as permits act while Redis is killed and restarted',
  async t => {
    const { server, workers } = await crowd(t)
    for (const pause of [0, LEASE / 4, TOO_LONG]) {
      await server.kill()
      await sleep(pause)
      await server.start()
      await workers.progress(`after ${pause} ms`, TURNS)
    }
    await workers.end()
    workers.check(3 * TURNS)
  },
)

requires(redisServer).serial(
  'at most as many processes as permits act while clients are stopped and killed',
  async t => {
    const { workers } = await crowd(t)
    for (const client of workers.clients.slice(0, 2)) {
      client.kill('SIGSTOP')
      await sleep(TOO_LONG)
      client.kill('SIGCONT')
      await workers.progress('after a stop', TURNS)
    }
    await Promise.all([workers.replace(2), workers.replace(0)])
    await workers.progress('after two deaths', TURNS)
    await workers.end()
    workers.check(3 * TURNS)
  },
)

/** The lease of the rivals, who refresh after a third of it: a pause of a busy machine is shorter than the rest. */
const RIVAL_LEASE = 10_000

/** A process that holds the only permit, and a source that asks for it. */
async function rivals(t: ExecutionContext): Promise<{ holder: Child; jobs: RedisLimit }> {
  const server = await RedisServer.start(t)
  const name = uniqueName(t)
  const holder = child(t, 'redis/hold.ts', { args: [server.url, name, 1, RIVAL_LEASE] })
  t.is(await holder.next(), 'held')
  const jobs = RedisLimit.connect(server.url, name, { permits: 1, lease: RIVAL_LEASE })
  t.teardown(() => jobs.close())
  return { holder, jobs }
}

requires(redisServer).serial('the permits of a killed process come back after the lease', async t => {
  const { holder, jobs } = await rivals(t)
  // The permit is refreshed while its process lives.
  await t.throwsAsync(jobs.acquire({ timeout: RIVAL_LEASE * 1.6 }), { code: 'ETIMEDOUT' })
  holder.kill('SIGKILL')
  await holder.exit
  t.is(await jobs.tryAcquire(), null)
  const permit = await jobs.acquire({ timeout: PATIENCE })
  t.false(permit.signal.aborted)
  await permit.release()
})

requires(redisServer).serial(
  'a process that was stopped for longer than its lease knows it when it wakes',
  async t => {
    const { holder, jobs } = await rivals(t)
    holder.kill('SIGSTOP')
    const permit = await jobs.acquire({ timeout: PATIENCE })
    // The holder takes a pause for a stop when it is longer than the lease; until now it was that less the last refresh.
    await sleep(RIVAL_LEASE)
    holder.kill('SIGCONT')
    // The first message after its code runs again.
    t.like(await holder.next(), { aborted: true, code: 'ERR_PERMIT_LOST' })
    t.is(await holder.next(), 'released')
    // Its release does not release the permit of this process.
    t.is((await jobs.info()).taken, 1)
    await permit.release()
  },
)
