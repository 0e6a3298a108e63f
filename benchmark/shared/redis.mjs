// A redis-server for one contender, on loopback: the scene measures the way to it.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { cannot, node } from './contenders.mjs'

const UP_WITHIN = 10_000

const isThere = spawnSync('redis-server', ['--version']).status === 0

/** The number of runs after which the engine has compiled the code: a round is short, and the code of a client is long. */
const WARM_UP = 3_000

/** A contender that `prepare` sets up with the URL of its own server. */
export function withRedis(prepare) {
  if (!isThere) return cannot('redis-server is not installed: apt-get install redis-server')
  return node(async context => {
    const work = await prepare({ ...context, url: await start(context) })
    await work(WARM_UP)
    return work
  })
}

async function start({ atTheEnd }) {
  const port = await freePort()
  const dir = mkdtempSync(join(tmpdir(), 'os-ipc-redis-'))
  atTheEnd(() => rmSync(dir, { recursive: true, force: true }))
  // A server that starts empty could have lost permits, so no permit is taken from it for the time of a lease.
  const first = await run(port, dir)
  const ended = once(first, 'exit')
  first.kill('SIGKILL')
  await ended
  const server = await run(port, dir)
  atTheEnd(() => server.kill('SIGKILL'))
  return `redis://127.0.0.1:${port}`
}

async function run(port, dir) {
  // As docs/many-machines.md recommends, except that no command waits for the disk.
  const args = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'yes', appendfsync: 'no' }
  const server = spawn(
    'redis-server',
    Object.entries(args).flatMap(([name, value]) => [`--${name}`, String(value)]),
    { stdio: 'ignore' },
  )
  process.once('exit', () => server.kill('SIGKILL'))
  const deadline = performance.now() + UP_WITHIN
  while (!(await answers(port))) {
    if (performance.now() > deadline) throw new Error('redis-server did not come up')
    await sleep(10)
  }
  return server
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1')
  try {
    socket.write('PING\r\n')
    return String((await once(socket, 'data'))[0]).startsWith('+PONG')
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
