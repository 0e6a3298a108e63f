// A PostgreSQL server for one contender, on loopback: what is measured is the way to it.

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { cannot, node } from './contenders.mjs'

const UP_WITHIN = 30_000

/** Debian keeps the programs of the server off the PATH. */
const DEBIAN = '/usr/lib/postgresql'

const bin = findPrograms()

/** So often that the engine has compiled what is run: a round is short, and the code of a client long. */
const WARM_UP = 3_000

/** A contender that `prepare` gets ready with the URL of a server of its own. */
export function withPostgres(prepare) {
  if (bin === undefined) return cannot('PostgreSQL is not installed: apt-get install postgresql')
  return node(async context => {
    const work = await prepare({ ...context, url: await start(context) })
    await work(WARM_UP)
    return work
  })
}

async function start({ atTheEnd }) {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'os-ipc-postgres-'))
  atTheEnd(() => rmSync(folder, { recursive: true, force: true }))
  const user = unprivileged()
  if (user !== undefined) chownSync(folder, ...user)
  const data = join(folder, 'data')
  const run = (program, args) => [
    ...(user === undefined ? [] : ['setpriv', `--reuid=${user[0]}`, `--regid=${user[1]}`, '--clear-groups']),
    join(bin, program),
    ...args,
  ]
  const [command, ...rest] = run('initdb', ['-D', data, '-U', 'bench', '-A', 'trust', '-N', '--locale=C'])
  const made = spawnSync(command, rest, { cwd: folder, encoding: 'utf8' })
  if (made.status !== 0) throw new Error(`initdb: ${made.stderr}`)
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
  const [server, ...args] = run('postgres', ['-D', data, ...settings.flatMap(setting => ['-c', setting])])
  const started = spawn(server, args, { stdio: 'ignore', cwd: folder })
  const end = () => started.kill('SIGQUIT')
  process.once('exit', end)
  atTheEnd(async () => {
    if (started.exitCode !== null) return
    end()
    await once(started, 'exit')
  })
  const deadline = performance.now() + UP_WITHIN
  const isReady = ['-q', '-h', '127.0.0.1', '-p', `${port}`]
  while (spawnSync(join(bin, 'pg_isready'), isReady).status !== 0) {
    if (performance.now() > deadline) throw new Error('postgres did not come up')
    await sleep(20)
  }
  return `postgres://bench@127.0.0.1:${port}/postgres`
}

/** Whom the server runs as where we are root, which it refuses. */
function unprivileged() {
  if (process.getuid() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map(flag =>
      spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim(),
    )
    if (uid) return [Number(uid), Number(gid)]
  }
  return [65_534, 65_534]
}

function findPrograms() {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => b - a) : []
  const found = spawnSync('sh', ['-c', 'command -v postgres'], { encoding: 'utf8' }).stdout.trim()
  return [...debian.map(version => join(DEBIAN, version, 'bin')), found && dirname(realpathSync(found))].find(
    folder => folder && existsSync(join(folder, 'initdb')),
  )
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
