// The address of a Redis is checked before anything connects.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'

import { Redis as Client } from 'ioredis'
import test, { type ExecutionContext } from 'ava'

import { IpcError } from '../../index.js'
import { redisAddress } from '../../.cache/built/lib/redis/url.js'
import { RedisLimit } from '../../redis.js'
import { uniqueName } from '../shared/names.ts'
import { PATIENCE, RedisServer, redisServer } from './helpers/redis.ts'
import { redis } from './helpers/sources.ts'
import { requires } from '../shared/requires.ts'

const connect = (url: unknown) => RedisLimit.connect(url as string, '/jobs', { permits: 1 })

test('an address is parsed into the options of ioredis', t => {
  for (const [url, expected] of [
    ['redis://h', { host: 'h', port: 6379 }],
    ['valkey://h:7/2', { host: 'h', port: 7, db: 2 }],
    ['rediss://h', { host: 'h', port: 6379, tls: {} }],
    ['VALKEYS://h/', { host: 'h', port: 6379, tls: {} }],
    ['redis://user:p%40s%2Fs@h', { host: 'h', port: 6379, username: 'user', password: 'p@s/s' }],
    ['redis://:p%25@[::1]:7', { host: '::1', port: 7, password: 'p%' }],
    ['redis://h?db=3&family=6', { host: 'h', port: 6379, db: 3, family: 6 }],
    ['/run/a b%20.sock', { path: '/run/a b%20.sock' }],
    ['/run/a.sock?db=4', { path: '/run/a.sock', db: 4 }],
    ['unix:/run/a.sock', { path: '/run/a.sock' }],
    ['unix:///run/a%20b.sock?db=1', { path: '/run/a b.sock', db: 1 }],
  ] as const) {
    t.deepEqual(redisAddress(url), expected, url)
  }
})

test('an invalid address is refused at once', t => {
  for (const url of [
    ...[
      '',
      'not a url',
      '6379',
      'localhost:6379',
      'http://h',
      'https://h/0',
      'ftp://h',
      'redis',
      'redis:',
      'redis:h',
    ],
    ...[
      'redis://',
      'redis:///0',
      'redis://:6379',
      'redis://h:0',
      'redis://h:65536',
      'redis://h:port',
      'redis://[',
      'redis:// h',
    ],
    ...[
      'redis://h/zero',
      'redis://h/-1',
      'redis://h/1.5',
      'redis://h/1/2',
      'redis://h/99999999999',
      'redis://h/0x1',
      'redis://h/%31',
    ],
    ...[
      'redis://h?db=one',
      'redis://h?db=',
      'redis://h?family=5',
      'redis://h?retryStrategy=1',
      'redis://h?lazyConnect=',
      'redis://h?__proto__=1',
    ],
    ...[
      'redis://:a/b@h',
      'redis://:a#b@h',
      'redis://h#0',
      'redis://:%zz@h',
      '//h/0',
      '/',
      'unix://h/run/a.sock',
      'unix:a.sock',
      '/a\0b',
    ],
  ]) {
    const error = t.throws(() => connect(url), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_VALUE' }, url)
    t.regex(error?.message ?? '', /^the URL of Redis /)
  }
  for (const value of [undefined, null, 6379, { host: 'h' }, new URL('redis://h'), ['redis://h']]) {
    t.throws(() => connect(value), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
  }
})

test('an error about an address does not show its password', t => {
  for (const url of [
    'http://:s3cret@h',
    'redis://:s3cret@h/x',
    'redis://:s3cret@h:0',
    's3cret',
    'redis://:s3cret@h?x=1',
  ]) {
    const error = t.throws(() => connect(url), { instanceOf: TypeError })
    t.notRegex(error?.message ?? '', /s3cret/)
  }
})

requires(redisServer)('valkey:// and a socket lead to a server', async t => {
  const server = await RedisServer.start(t, { settings: { unixsocket: 'socket', unixsocketperm: '700' } })
  const path = join(server.folder, 'socket')
  for (const url of [server.url.replace('redis:', 'valkey:'), path, `unix:${path}`, `unix://${path}?db=2`]) {
    const jobs = RedisLimit.connect(url, uniqueName(t), { permits: 1 })
    t.is(await jobs.use(() => 'in', { timeout: PATIENCE }), 'in', url)
    await jobs.close()
  }
})

// ---- the first connection

/** A server that accepts connections and never sends a byte. */
async function mute(t: ExecutionContext): Promise<number> {
  const sockets = new Set<Socket>()
  const server = createServer(socket => sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
  })
  t.teardown(() => server.close())
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function says(t: ExecutionContext, jobs: RedisLimit, hint: RegExp): Promise<void> {
  t.teardown(() => jobs.close())
  const error = await t.throwsAsync(jobs.acquire({ timeout: 600 }), {
    instanceOf: IpcError,
    code: 'ETIMEDOUT',
  })
  t.regex((error as IpcError).hint ?? '', hint)
  t.true((error as IpcError).cause instanceof Error)
}

for (const scheme of ['redis', 'rediss']) {
  test(`the timeout of a wait for a mute server says that no connection exists (${scheme})`, async t => {
    await says(t, connect(`${scheme}://127.0.0.1:${await mute(t)}`), /no connection to Redis for \d+ ms/)
  })
}

test('the timeout of a wait over a client that still connects says so', async t => {
  const client = new Client({ port: await mute(t), host: '127.0.0.1' })
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  await says(t, RedisLimit.over(client, '/jobs', { permits: 1 }), /no connection to Redis for \d+ ms/)
})

requires(redisServer)('the timeout of a TLS wait at a server of plain text has the reason', async t => {
  const server = await RedisServer.start(t)
  await says(t, connect(server.url.replace('redis:', 'rediss:')), /no connection|TLS|SSL|wrong version/i)
})

requires(redisServer)(
  'the timeout says that a server stopped answering, and gives no reason when all permits are held',
  async t => {
    const { server, connect: open } = await redis(t)
    const jobs = open({ lease: 30_000 })
    const held = await jobs.acquire({ timeout: PATIENCE })
    // On a busy machine an answer may be late, and then the error says so.
    let hint: string | undefined = ''
    for (let tries = 0; hint !== undefined && tries < 5; tries += 1) {
      const full = await t.throwsAsync(jobs.acquire({ timeout: 300 }), { code: 'ETIMEDOUT' })
      hint = (full as IpcError).hint
    }
    t.is(hint, undefined)
    server.pause()
    await says(t, jobs, /Redis has not answered for \d+ ms/)
    server.resume()
    await held.release()
  },
)

requires(redisServer)('the key is the one in Redis, with the prefix of the client', async t => {
  const { server, name } = await redis(t)
  const client = new Client(server.url, { keyPrefix: 'ours:' })
  t.teardown(() => client.disconnect())
  const jobs = RedisLimit.over(client, name, { permits: 1 })
  const permit = await jobs.acquire({ timeout: PATIENCE })
  const { key, taken } = await jobs.info()
  t.is(key, `ours:semaphore:os-ipc:${name}`)
  t.is(taken, 1)
  const watch = new Client(server.url)
  t.teardown(() => watch.disconnect())
  t.is(await watch.zcard(key), 1)
  await permit.release()
  await jobs.close()
})
