// Permits on Redis while everything that can stop or die does: never do more processes act under a permit than there are.

import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import type { SharedMemory } from '../../index.js'
import { RedisLimit } from '../../redis.js'
import { child, type Child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, RedisServer, redisServer } from './helpers/redis.ts'
import { requires } from '../shared/requires.ts'
import { allTurns, makeTurns, most, now, type Turn } from './helpers/turns.ts'
import { until } from '../shared/until.ts'

const PERMITS = 2
const CLIENTS = 4
const LEASE = 1_000

/** Longer than a lease: whoever holds a permit loses it. */
const TOO_LONG = LEASE * 1.6

/** Processes that work, and a Redis. */
class Crowd {
  readonly memory: SharedMemory
  readonly clients: Child[] = []
  readonly #t: ExecutionContext
  readonly #server: RedisServer
  readonly #name: string
  readonly #memoryName: string

  constructor(t: ExecutionContext, server: RedisServer) {
    this.#t = t
    this.#server = server
    this.#name = uniqueName(t)
    this.#memoryName = uniqueName(t)
    this.memory = makeTurns(this.#memoryName)
  }

  async add(count: number): Promise<void> {
    const added = Array.from({ length: count }, (_, index) => {
      const slot = this.clients.length + index
      const args = [this.#server.url, this.#name, PERMITS, LEASE, this.#memoryName, slot]
      return child(this.#t, 'redis/work.ts', { args, limit: 90_000 })
    })
    this.clients.push(...added)
    for (const client of added) this.#t.is(await client.next(), 'working')
  }

  /** So many turns begin from now on. Every scene asks for them four times at least. */
  async progress(what: string, turns = 13): Promise<void> {
    const start = now()
    await until(
      `${turns} turns ${what}`,
      () => allTurns(this.memory).filter(({ first }) => first > start).length >= turns,
      PATIENCE,
    )
    this.#t.pass(what)
  }

  /** One of the turns of two and a half leases is under way, and has more than {@link TOO_LONG} before it. */
  async longTurn(): Promise<void> {
    const isLong = ({ first, last }: Turn) =>
      last - first > LEASE / 5 && last - first < LEASE / 2 && now() - last < LEASE / 20
    await until('a long turn', () => allTurns(this.memory).some(isLong), PATIENCE)
  }

  /** Ends those that live, and answers how many permits they lost. */
  async end(except: readonly Child[] = []): Promise<number> {
    let lost = 0
    for (const client of this.clients) if (!except.includes(client)) client.send('end')
    for (const client of this.clients) {
      if (except.includes(client)) continue
      const counts = (await client.next()) as { turns: number; lost: number }
      lost += counts.lost
      this.#t.like(await client.exit, { code: 0, stderr: '' })
    }
    return lost
  }

  check(): void {
    const turns = allTurns(this.memory)
    this.memory.close()
    this.#t.true(turns.length > 50, `${turns.length} turns`)
    this.#t.is(most(turns), PERMITS)
  }
}

async function crowd(t: ExecutionContext): Promise<{ server: RedisServer; workers: Crowd }> {
  const server = await RedisServer.start(t)
  const workers = new Crowd(t, server)
  await workers.add(CLIENTS)
  await workers.progress('at first')
  return { server, workers }
}

requires(redisServer).serial('never more than the limit act while Redis is stopped and goes on', async t => {
  const { server, workers } = await crowd(t)
  for (let round = 0; round < 3; round += 1) {
    await workers.longTurn()
    server.pause()
    await sleep(TOO_LONG)
    server.resume()
    await workers.progress('after a long stop')
    server.pause()
    await sleep(LEASE / 4)
    server.resume()
    await workers.progress('after a short stop')
  }
  t.true((await workers.end()) > 0)
  workers.check()
})

requires(redisServer).serial(
  'never more than the limit act while Redis is killed and comes back',
  async t => {
    const { server, workers } = await crowd(t)
    for (const pause of [0, LEASE / 4, TOO_LONG]) {
      await server.kill()
      await sleep(pause)
      await server.start()
      await workers.progress(`after ${pause} ms`)
    }
    await workers.end()
    workers.check()
  },
)

requires(redisServer).serial(
  'never more than the limit act while clients are stopped and killed',
  async t => {
    const { workers } = await crowd(t)
    const [first, second, third] = workers.clients as [Child, Child, Child]
    for (const client of [first, second]) {
      client.kill('SIGSTOP')
      await sleep(TOO_LONG)
      client.kill('SIGCONT')
      await workers.progress('after a stop')
    }
    third.kill('SIGKILL')
    first.kill('SIGKILL')
    await workers.add(2)
    await workers.progress('after two deaths')
    await workers.end([first, third])
    workers.check()
  },
)

/** A process that holds the only permit there is, and what others ask for it. */
async function rivals(t: ExecutionContext): Promise<{ holder: Child; jobs: RedisLimit }> {
  const server = await RedisServer.start(t)
  const name = uniqueName(t)
  const holder = child(t, 'redis/hold.ts', { args: [server.url, name, 1, LEASE] })
  t.is(await holder.next(), 'held')
  const jobs = RedisLimit.connect(server.url, name, { permits: 1, lease: LEASE })
  t.teardown(() => jobs.close())
  return { holder, jobs }
}

requires(redisServer).serial('the permits of a killed process come back after the lease', async t => {
  const { holder, jobs } = await rivals(t)
  // It is refreshed as long as it lives.
  await t.throwsAsync(jobs.acquire({ timeout: TOO_LONG }), { code: 'ETIMEDOUT' })
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
    await sleep(LEASE)
    holder.kill('SIGCONT')
    // What it says the first time that any code of it runs again.
    t.like(await holder.next(), { aborted: true, code: 'ERR_PERMIT_LOST' })
    t.is(await holder.next(), 'released')
    // Its release takes nothing from us.
    t.is((await jobs.info()).taken, 1)
    await permit.release()
  },
)
