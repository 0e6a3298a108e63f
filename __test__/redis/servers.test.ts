// Redis 6.2 and Valkey, and their different replies: a wait outlasts temporary errors, and all others are thrown at once.

import { setTimeout as sleep } from 'node:timers/promises'

import { Redis as Client } from 'ioredis'
import test, { type ExecutionContext } from 'ava'

import type { IpcError } from '../../index.js'
import { isFinal } from '../../.cache/built/lib/redis/failures.js'
import type { RedisLimit } from '../../redis.js'
import { fetchedServer, PATIENCE, redisServer, type RedisServer } from './helpers/redis.ts'
import { redis } from './helpers/sources.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const SERVERS = [
  ['the Redis of this machine', { ...redisServer, path: 'redis-server' }],
  ['Redis 6.2', fetchedServer('redis-6.2')],
  ['Valkey', fetchedServer('valkey')],
] as const

/** The states in which a server cannot write, with the commands that begin and end each. */
const TROUBLES = [
  ['is a replica', ['REPLICAOF', '127.0.0.1', '1'], ['REPLICAOF', 'NO', 'ONE']],
  [
    'has too few replicas',
    ['CONFIG', 'SET', 'min-replicas-to-write', '1'],
    ['CONFIG', 'SET', 'min-replicas-to-write', '0'],
  ],
  [
    'is a replica without its master',
    ['CONFIG', 'SET', 'replica-serve-stale-data', 'no'],
    ['REPLICAOF', 'NO', 'ONE'],
  ],
  ['runs a script for long', ['EVAL', 'while true do end', '0'], ['SCRIPT', 'KILL']],
] as const

function direct(t: ExecutionContext, server: RedisServer): Client {
  const client = new Client(server.url)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

async function taken(jobs: RedisLimit): Promise<string> {
  const permit = await jobs.tryAcquire().catch((error: IpcError) => error.code)
  if (typeof permit === 'string') return permit
  await permit?.release()
  return permit === null ? 'none' : 'taken'
}

for (const [what, program] of SERVERS) {
  requires(redisServer, program)(
    `permits are taken, refreshed, counted and given back (${what})`,
    async t => {
      const { connect } = await redis(t, { program: program.path })
      const lease = 10_000
      const jobs = connect({ lease })
      const permit = await jobs.acquire({ timeout: PATIENCE })
      await sleep(lease * 1.5)
      t.false(permit.signal.aborted)
      const other = connect({ lease })
      t.is(await other.tryAcquire(), null)
      t.like(await other.info(), { taken: 1, free: 0 })
      await permit.release()
      await (await other.acquire({ timeout: PATIENCE })).release()
    },
  )

  for (const [trouble, begin, end] of TROUBLES) {
    requires(redisServer, program)(
      `a wait outlasts the time in which Redis ${trouble} (${what})`,
      async t => {
        const settings = { 'lua-time-limit': '100' }
        const { server, connect } = await redis(t, { program: program.path, settings })
        const jobs = connect()
        await (await jobs.acquire({ timeout: PATIENCE })).release()
        const admin = direct(t, server)
        if (trouble.includes('without')) await admin.call('REPLICAOF', '127.0.0.1', '1')
        const [beginCommand, ...beginArgs] = begin
        const begun = direct(t, server).call(beginCommand, ...beginArgs)
        begun.catch(() => {})
        await until('it begins', async () => (await taken(jobs)) === 'ERR_UNAVAILABLE', PATIENCE)
        const waiting = jobs.acquire({ timeout: PATIENCE })
        await sleep(300)
        const [endCommand, ...endArgs] = end
        await admin.call(endCommand, ...endArgs)
        const permit = await waiting
        t.false(permit.signal.aborted)
        await permit.release()
      },
    )
  }

  requires(redisServer, program)(`a key of another type is refused (${what})`, async t => {
    const { server, name, connect } = await redis(t, { program: program.path })
    await direct(t, server).set(`semaphore:os-ipc:${name}`, 'text')
    await t.throwsAsync(connect().acquire({ timeout: PATIENCE }), {
      code: 'ERR_REFUSED',
      message: /WRONGTYPE/,
    })
  })
}

test('a temporary error is told from a final one, wrapped or not', t => {
  const reply = (message: string) => Object.assign(new Error(message), { name: 'ReplyError' })
  const wrapped = (message: string) =>
    `ERR Error running script (call to f_4ca238f611c9d0ae4e9a75a5dbac22aedc1e44a8): @user_script:12: @user_script: 12: ${message}`
  for (const message of [
    ...[
      "READONLY You can't write against a read only replica.",
      'NOREPLICAS Not enough good replicas to write.',
    ],
    ...[
      "OOM command not allowed when used memory > 'maxmemory'.",
      'LOADING Redis is loading the dataset in memory',
    ],
    ...[
      'BUSY Redis is busy running a script.',
      "MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
    ],
    ...[
      'MISCONF Redis is configured to save RDB snapshots',
      'CLUSTERDOWN Hash slot not served',
      'TRYAGAIN Multiple keys',
    ],
    'NOSCRIPT No matching script. Please use EVAL.',
  ]) {
    t.false(isFinal(reply(message)), message)
    t.false(isFinal(reply(wrapped(message))), wrapped(message))
    t.false(isFinal(reply(wrapped(`-${message}`))), wrapped(`-${message}`))
  }
  t.false(isFinal(reply('ERR max number of clients reached')))
  for (const message of [
    ...[
      'WRONGTYPE Operation against a key',
      'NOAUTH Authentication required.',
      'NOPERM this user has no permissions',
    ],
    ...['ERR DB index is out of range', 'ERR Error compiling script (new function): user_script:1: READONLY'],
    'CROSSSLOT Keys in request',
  ]) {
    t.true(isFinal(reply(message)), message)
    t.true(isFinal(reply(wrapped(message))), wrapped(message))
  }
})
