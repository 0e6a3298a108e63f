// `os-ipc run --redis`: the same command with permits that many machines share.

import test from 'ava'

import { RedisLimit } from '../../redis.js'
import { cli, start } from './helpers/cli.ts'
import { uniqueName } from '../shared/names.ts'
import { RedisServer, redisServer } from '../redis/helpers/redis.ts'
import { requires } from '../shared/requires.ts'

const LEASE = ['--lease', '10']

requires(redisServer).serial('os-ipc run takes the same permits as a program on that Redis', async t => {
  const server = await RedisServer.start(t)
  const name = uniqueName(t)
  const jobs = RedisLimit.connect(server.url, name, { permits: 2, lease: 10_000 })
  t.teardown(() => jobs.close())
  const permit = await jobs.acquire()
  const run = ['run', name, '-n', 2, ...LEASE, '--redis', server.url]
  const child = start(t, [...run, '--', 'sh', '-c', 'echo ready; read line; exit 4'])
  await child.until('ready')
  t.is((await jobs.info()).free, 0)
  const late = await cli(t, [...run, '-t', '200ms', '--', 'echo', 'ran'])
  t.like(late, { code: 124, stdout: '' })
  // On a busy machine the connection may take longer than the timeout; then the message says so at its end.
  const said = `^os-ipc: a permit of ${name} was not free within 0.2 s(; [^\\n]+)?\\n$`
  t.regex(late.stderr, new RegExp(said))
  child.send('end')
  t.like(await child.exit, { code: 4, stderr: '' })
  t.is((await jobs.info()).free, 1)
  await permit.release()
  const env = { OS_IPC_TEST_REDIS: server.url }
  const named = ['run', name, '-n', 2, ...LEASE, '--redis', 'env:OS_IPC_TEST_REDIS', '--', 'echo', 'ran']
  t.like(await cli(t, named, { env }), { code: 0, stdout: 'ran\n', stderr: '' })
  t.is((await jobs.info()).free, 2)
})

requires(redisServer).serial('the permit of a killed os-ipc comes back after the lease', async t => {
  const server = await RedisServer.start(t)
  const name = uniqueName(t)
  const run = ['run', name, ...LEASE, '--redis', server.url]
  const child = start(t, [...run, '--', 'sh', '-c', 'echo ready; exec sleep 30'])
  await child.until('ready')
  t.is((await cli(t, [...run, '-t', '0', '-q', '--', 'true'])).code, 124)
  child.stop()
  t.is((await cli(t, [...run, '-t', '40', '--', 'true'])).code, 0)
})

requires(redisServer).serial('a command whose permit is lost gets SIGTERM', async t => {
  const server = await RedisServer.start(t)
  const name = uniqueName(t)
  const child = start(t, [
    ...['run', name, '--lease', '5', '--redis', server.url, '--', 'bash', '-c'],
    'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.02; done',
  ])
  await child.until('ready')
  server.pause()
  t.is(await child.next(), 'told')
  server.resume()
  const { code, stderr } = await child.exit
  t.is(code, 7)
  t.is(stderr, 'os-ipc: the permit was lost: os-ipc sends SIGTERM to the command\n')
})

requires(redisServer).serial('a Redis that does not answer or refuses is reported in one line', async t => {
  const server = await RedisServer.start(t, { password: 'secret' })
  const name = uniqueName(t)
  const refused = await cli(t, ['run', name, '--redis', server.url, '--', 'echo', 'ran'])
  t.like(refused, { code: 125, stdout: '' })
  t.regex(refused.stderr, /^os-ipc: Redis refused [^\n]*NOAUTH[^\n]*\n$/)
  await server.kill()
  const away = await cli(t, ['run', name, '--redis', server.url, '-t', '5s', '--', 'echo', 'ran'])
  t.like(away, { code: 124, stdout: '' })
  t.regex(away.stderr, /^os-ipc: a permit of \S+ was not free within 5 s; [^\n]*ECONNREFUSED[^\n]*\n$/)
})

test('options that contradict each other are refused before Redis is asked', async t => {
  const redis = ['--redis', 'redis://127.0.0.1:1']
  for (const [args, says] of [
    [['7', ...redis], /have a name, not a key; a name of digits is written \/7\n/],
    [['x', '--mode', '660', ...redis], /--mode and --owner cannot be used with --redis\n/],
    [['x', '--lease', '5'], /--lease needs --redis\n/],
    [['x', '--redis', 'env:OS_IPC_NO_SUCH'], /the environment has no OS_IPC_NO_SUCH; --redis needs/],
  ] as const) {
    const { code, stderr } = await cli(t, ['run', ...args, '--', 'true'])
    t.is(code, 125)
    t.regex(stderr, says)
  }
})
