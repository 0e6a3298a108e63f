// `os-ipc lock --postgres` and `os-ipc query`: locks that many machines share.

import test from 'ava'

import { locks } from '../../index.js'
import { PostgresLocks } from '../../postgres.js'
import { cli, start } from './helpers/cli.ts'
import { hold } from '../lock/helpers/hold.ts'
import { uniqueName } from '../shared/names.ts'
import { postgresServer, PostgresServer } from '../shared/postgres.ts'
import { requires } from '../shared/requires.ts'
import { until } from '../shared/until.ts'

const server = PostgresServer.forAll(test)

const declare = requires(postgresServer).serial

declare('os-ipc lock takes the same lock as a program on that database', async t => {
  const shared = PostgresLocks.connect(server.url)
  t.teardown(() => shared.close())
  const env = { OS_IPC_TEST_POSTGRES: server.url }
  const lock = ['lock', 'deploy now', '--postgres', 'env:OS_IPC_TEST_POSTGRES']
  const child = start(t, [...lock, '--', 'sh', '-c', 'echo ready; read line; exit 4'], { env })
  await child.until('ready')
  t.is(await shared.request('deploy now', { ifAvailable: true }, granted => granted), null)
  t.like(await cli(t, [...lock, '-t', '200ms', '--', 'echo', 'ran'], { env }), {
    ...{ code: 124, stdout: '' },
    stderr: `os-ipc: the lock deploy now was not free within 0.2 s\n`,
  })
  t.is((await cli(t, [...lock, '-t', '0', '-q', '--', 'true'], { env })).code, 124)
  // The server ends what an os-ipc left behind that has ended; it may take a moment.
  await until('no other session waits', async () => (await shared.query()).pending.length === 0)
  const { stdout } = await cli(t, ['query', '--postgres', server.url])
  t.regex(
    stdout,
    new RegExp(
      `^NAME +STATE +MODE +PID +CLIENT\\ndeploy now +held +exclusive +${child.pid} +node-${child.pid}-0@\\S+\\n$`,
    ),
  )
  child.send('end')
  t.like(await child.exit, { code: 4, stderr: '' })
  t.like(await cli(t, [...lock, '--', 'echo', 'ran'], { env }), { code: 0, stdout: 'ran\n', stderr: '' })
  await until('no session has a lock', async () => (await shared.query()).held.length === 0)
  t.like(await cli(t, ['query', '--json', '--postgres', server.url]), {
    code: 0,
    stdout: '{"held":[],"pending":[]}\n',
  })
})

declare('shared locks are held together, and the lock of a killed os-ipc becomes free', async t => {
  const lock = ['lock', 'cache', '--postgres', server.url]
  const child = start(t, [...lock, '--shared', '--', 'sh', '-c', 'echo ready; exec sleep 30'])
  await child.until('ready')
  t.is((await cli(t, [...lock, '-s', '-t', '0', '--', 'true'])).code, 0)
  t.is((await cli(t, [...lock, '-t', '0', '-q', '--', 'true'])).code, 124)
  child.stop()
  t.is((await cli(t, [...lock, '-t', '20', '--', 'true'])).code, 0)
})

declare('a command whose lock is lost gets SIGTERM', async t => {
  const child = start(t, [
    ...['lock', 'lost', '--postgres', server.url, '--', 'bash', '-c'],
    'trap "echo told; exit 7" TERM; echo ready; while :; do sleep 0.02; done',
  ])
  await child.until('ready')
  await server.terminateSessions(true)
  t.is(await child.next(), 'told')
  const { code, stderr } = await child.exit
  t.is(code, 7)
  t.is(stderr, 'os-ipc: the lock was lost: os-ipc sends SIGTERM to the command\n')
})

declare('a database that refuses or does not answer is reported in one line', async t => {
  const wrong = server.url.replace(/postgres$/, 'missing')
  const refused = await cli(t, ['lock', 'a', '--postgres', wrong, '--', 'echo', 'ran'])
  t.like(refused, { code: 125, stdout: '' })
  t.regex(refused.stderr, /^os-ipc: PostgreSQL refused: database "missing" does not exist\n$/)
  const nowhere = ['--postgres', 'postgres://127.0.0.1:1/none']
  const away = await cli(t, ['lock', 'a', ...nowhere, '-t', '5s', '--', 'echo', 'ran'])
  t.like(away, { code: 124, stdout: '' })
  t.regex(away.stderr, /^os-ipc: the lock a was not free within 5 s; [^\n]*ECONNREFUSED[^\n]*\n$/)
  const query = await cli(t, ['query', ...nowhere])
  t.not(query.code, 0)
  t.regex(query.stderr, /^os-ipc: PostgreSQL is not available: [^\n]*ECONNREFUSED/)
})

test('query shows the locks of this host', async t => {
  const name = `${uniqueName(t).slice(1)}, queried`
  const release = await hold(locks, name, { mode: 'shared' })
  const { stdout } = await cli(t, ['query', name])
  t.regex(stdout, new RegExp(`^NAME .*\\n${name} +held +shared +${process.pid} +node-${process.pid}\\n$`))
  const { stdout: text } = await cli(t, ['query', '--json', name])
  t.deepEqual(JSON.parse(text), {
    held: [{ name, mode: 'shared', pid: process.pid, clientId: `node-${process.pid}` }],
    pending: [],
  })
  await release()
})
