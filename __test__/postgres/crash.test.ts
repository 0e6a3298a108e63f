// Locks on PostgreSQL while clients and servers stop or die: two processes never act under an exclusive lock.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import type { SharedMemory } from '../../index.js'
import { child, type Child } from '../shared/child.ts'
import { uniqueName } from '../shared/names.ts'
import { PostgresServer, postgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import { allTurns, makeTurns, most, now, type Turn } from '../redis/helpers/turns.ts'
import { until } from '../shared/until.ts'

const CLIENTS = 4
const DEAD_AFTER = 3_000
const PATIENCE = 40_000

/** Milliseconds longer than `deadAfter`: the holder of the lock loses it. */
const TOO_LONG = DEAD_AFTER * 1.2

/** Processes that work, and a server. */
class Crowd {
  readonly memory: SharedMemory
  readonly clients: Child[] = []
  readonly #t: ExecutionContext
  readonly #server: PostgresServer
  readonly #name: string
  readonly #memoryName: string

  constructor(t: ExecutionContext, server: PostgresServer) {
    this.#t = t
    this.#server = server
    this.#name = uniqueName(t)
    this.#memoryName = uniqueName(t)
    this.memory = makeTurns(this.#memoryName)
  }

  async start(slot: number): Promise<void> {
    const args = [this.#server.url, this.#name, DEAD_AFTER, this.#memoryName, slot]
    const client = child(this.#t, 'postgres/work.ts', { args, limit: 110_000 })
    this.clients[slot] = client
    this.#t.is(await client.next(), 'working')
  }

  /** Waits until this number of new turns has begun. */
  async progress(what: string, turns = 9): Promise<void> {
    const start = now()
    const begun = () => allTurns(this.memory).filter(({ first }) => first > start).length
    await until(`${turns} turns ${what}`, () => begun() >= turns, PATIENCE)
    this.#t.pass(what)
  }

  /** Waits until one of the long turns is under way. */
  async longTurn(): Promise<void> {
    const isLong = ({ first, last }: Turn) => last - first > DEAD_AFTER / 10 && now() - last < 100
    await until('a long turn', () => allTurns(this.memory).some(isLong), PATIENCE)
  }

  /** Ends the workers, and returns the number of locks that they lost. */
  async end(): Promise<number> {
    let lost = 0
    for (const client of this.clients) client.send('end')
    for (const client of this.clients) {
      const counts = (await client.next()) as { turns: number; lost: number }
      this.#t.true(counts.turns >= 0, JSON.stringify(counts))
      lost += counts.lost
      this.#t.like(await client.exit, { code: 0, stderr: '' })
    }
    return lost
  }

  check(): void {
    const turns = allTurns(this.memory)
    this.memory.close()
    this.#t.true(turns.length > 20, `${turns.length} turns`)
    this.#t.is(most(turns), 1)
  }
}

let server: PostgresServer
const ends: (() => void | Promise<void>)[] = []
if (postgresServer.missing === undefined) {
  test.before(async () => {
    server = await PostgresServer.start({ teardown: end => void ends.push(end) })
  })
}
test.after.always(async () => {
  for (const end of ends) await end()
})

async function crowd(t: ExecutionContext): Promise<Crowd> {
  const workers = new Crowd(t, server)
  await Promise.all(Array.from({ length: CLIENTS }, (_, slot) => workers.start(slot)))
  await workers.progress('at first')
  return workers
}

const declare = requires(postgresServer)

declare.serial('two clients never act under a lock while clients are killed at any moment', async t => {
  const workers = await crowd(t)
  for (let kills = 0; kills < 40; kills += 1) {
    const slot = kills % CLIENTS
    await sleep(Math.random() * 30)
    const client = workers.clients[slot] as Child
    client.kill('SIGKILL')
    await client.exit
    await workers.start(slot)
  }
  await workers.progress('after the kills')
  await workers.end()
  workers.check()
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
  workers.check()
})

declare.serial('two clients never act under a lock while the server ends sessions', async t => {
  const workers = await crowd(t)
  for (let round = 0; round < 12; round += 1) {
    await server.terminateSessions(round % 3 > 0)
    await workers.progress('after the end of sessions', 2)
  }
  t.true((await workers.end()) > 0)
  workers.check()
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
    workers.check()
  },
)
