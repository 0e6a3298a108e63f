// A real PostgreSQL server on loopback, run by an unprivileged user, that can be stopped, killed and restarted.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import pg from 'pg'

import type { Teardown } from './names.ts'
import type { Need } from './needs.ts'

/** The most milliseconds that a server may take to start: many start at once, on a machine that may do other work. */
const UP_WITHIN = 60_000

/** Debian keeps the programs of the server off the PATH. */
const DEBIAN = '/usr/lib/postgresql'

const bin = findPrograms()

/** The need for a server; without it the tests of `os-ipc/postgres` are skipped, with this reason in their titles. */
export const postgresServer: Need = {
  missing: bin === undefined ? 'needs PostgreSQL 14 or later: apt-get install postgresql' : undefined,
}

/** The running servers: where a test file is ended before its tests are, its servers are ended too. */
const running = new Set<PostgresServer>()
process.once('exit', () => {
  for (const server of running) server.signal('SIGQUIT')
})

export interface PostgresServerOptions {
  /** The address that it listens on; loopback when missing. */
  address?: string
  /** A command in front of the server's, such as `ip netns exec NAME`. */
  within?: readonly string[]
}

/** What of ava says when something is done. */
interface AllTests {
  before(implementation: () => Promise<void>): void
  after: { always(implementation: () => Promise<void>): void }
}

/** A server with its own folder, port and password. */
export class PostgresServer {
  port: number
  readonly folder: string
  readonly #password: string
  readonly #options: PostgresServerOptions
  #process: ChildProcess | undefined

  private constructor(port: number, options: PostgresServerOptions, password: string) {
    this.port = port
    this.#password = password
    this.#options = options
    this.folder = mkdtempSync(join(tmpdir(), 'os-ipc-postgres-'))
  }

  /** Starts a server, which answers until the test ends. */
  static async start(t: Teardown, options: PostgresServerOptions = {}): Promise<PostgresServer> {
    const server = new PostgresServer(await freePort(), options, randomBytes(12).toString('hex'))
    t.teardown(() => server.remove())
    server.#make()
    await server.start()
    return server
  }

  /** One for all tests of a file, which is there before the first and until after the last. */
  static forAll(test: AllTests): PostgresServer {
    const server = new PostgresServer(0, {}, randomBytes(12).toString('hex'))
    test.after.always(() => server.remove())
    // Without PostgreSQL the tests that need it are skipped.
    if (postgresServer.missing === undefined) {
      test.before(async () => {
        server.port = await freePort()
        server.#make()
        await server.start()
      })
    }
    return server
  }

  /** Another one that repeats what this one writes, until it is promoted or the test ends. */
  async replica(t: Teardown): Promise<PostgresServer> {
    const replica = new PostgresServer(await freePort(), {}, this.#password)
    t.teardown(() => replica.remove())
    replica.#run('pg_basebackup', [
      '-d',
      this.url,
      '-D',
      replica.#data,
      '-R',
      '-X',
      'stream',
      '-c',
      'fast',
      '-N',
    ])
    await replica.start()
    return replica
  }

  /** It is the primary from now on. */
  promote(): void {
    this.#run('pg_ctl', ['promote', '-w', '-D', this.#data])
  }

  get url(): string {
    const { address = '127.0.0.1' } = this.#options
    return `postgres://postgres:${this.#password}@${address}:${this.port}/postgres`
  }

  /** The same server through another address. */
  urlThrough(port: number): string {
    return `postgres://postgres:${this.#password}@127.0.0.1:${port}/postgres`
  }

  get password(): string {
    return this.#password
  }

  /** The pid of the main process of the server. */
  get pid(): number {
    return this.#process?.pid ?? 0
  }

  /** Starts it, with the data of its folder. */
  async start(): Promise<void> {
    const { address = '127.0.0.1', within = [] } = this.#options
    const deadline = performance.now() + UP_WITHIN
    const settings = {
      port: `${this.port}`,
      listen_addresses: address,
      unix_socket_directories: '',
      max_connections: '60',
      // Written data survives the death of the process; no test needs it to survive a loss of power.
      fsync: 'off',
    }
    const args = [
      '-D',
      this.#data,
      ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`]),
    ]
    const [command = '', ...rest] = [...within, ...asUser(join(bin ?? '', 'postgres'), args)]
    for (;;) {
      const started = spawn(command, rest, { stdio: 'ignore', cwd: this.folder })
      this.#process = started
      running.add(this)
      started.unref()
      while (started.exitCode === null && started.signalCode === null) {
        if (await this.answers()) return
        if (performance.now() > deadline) throw new Error('postgres did not come up')
        await sleep(20)
      }
      // The processes of a killed server take a moment to end, and use the folder meanwhile.
      if (performance.now() > deadline) throw new Error('postgres did not come up')
      await sleep(100)
    }
  }

  async answers(): Promise<boolean> {
    const { address = '', within = [] } = this.#options
    if (within.length > 0) {
      // It listens in another network namespace than this process.
      const [command = '', ...rest] = [
        ...within,
        join(bin ?? '', 'pg_isready'),
        '-q',
        '-h',
        address,
        '-p',
        `${this.port}`,
      ]
      return spawnSync(command, rest).status === 0
    }
    try {
      await this.sql('select 1')
      return true
    } catch {
      return false
    }
  }

  /** Runs a statement, over a separate connection. */
  async sql(text: string, values: unknown[] = []): Promise<Record<string, unknown>[]> {
    // Limits that a test sets for all sessions are not for those of the test itself.
    const options = '-c statement_timeout=0 -c lock_timeout=0 -c idle_session_timeout=0'
    const client = new pg.Client({ connectionString: this.url, options, connectionTimeoutMillis: 10_000 })
    client.on('error', () => {})
    await client.connect()
    try {
      return (await client.query(text, values)).rows
    } finally {
      await client.end()
    }
  }

  /** Ends the sessions that hold advisory locks, or wait for them. */
  async terminateSessions(granted: boolean): Promise<void> {
    await this.sql(
      `select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted = $1`,
      [granted],
    )
  }

  /** The number of sessions of os-ipc. */
  async sessions(): Promise<number> {
    const rows = await this.sql(`select 1 from pg_stat_activity where application_name like 'os-ipc %'`)
    return rows.length
  }

  /** Whether any session holds this lock or waits for it. */
  async hasKey(key: bigint): Promise<boolean> {
    const rows = await this.sql(
      `select 1 from pg_locks where locktype = 'advisory' and objsubid = 1
         and (classid::int8 << 32 | objid::int8) = $1`,
      [`${key}`],
    )
    return rows.length > 0
  }

  /** The pids of all its sessions and helpers, and its own. */
  processes(): number[] {
    const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', `${this.pid}`], { encoding: 'utf8' })
    return [...stdout.trim().split(/\s+/).filter(Boolean).map(Number), this.pid]
  }

  /** Stops it: it answers nothing, and keeps its connections. */
  pause(): void {
    for (const pid of this.processes().reverse()) signal(pid, 'SIGSTOP')
  }

  resume(): void {
    for (const pid of this.processes()) signal(pid, 'SIGCONT')
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  /** Kills it as by a crash: its sessions notice it and end too. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const server = this.#process
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return
    server.ref()
    const exit = once(server, 'exit')
    server.kill(signal)
    await exit
    running.delete(this)
  }

  async remove(): Promise<void> {
    await this.kill('SIGQUIT')
    rmSync(this.folder, { recursive: true, force: true })
  }

  get #data(): string {
    return join(this.folder, 'data')
  }

  #make(): void {
    const secret = join(this.folder, 'password')
    writeFileSync(secret, this.#password)
    if (user !== undefined) chownSync(secret, user.uid, user.gid)
    const access = ['-U', 'postgres', '--pwfile', secret, '-A', 'scram-sha-256']
    this.#run('initdb', ['-D', this.#data, ...access, '-N', '-E', 'UTF8', '--locale=C'])
    if (this.#options.address !== undefined) {
      appendFileSync(join(this.#data, 'pg_hba.conf'), 'host all all samenet scram-sha-256\n')
    }
  }

  /** Runs one of the programs of PostgreSQL in the folder, as the user of the server. */
  #run(program: string, args: readonly string[]): void {
    if (user !== undefined) chownSync(this.folder, user.uid, user.gid)
    const [command = '', ...rest] = asUser(join(bin ?? '', program), args)
    const { status, stderr, error } = spawnSync(command, rest, { encoding: 'utf8', cwd: this.folder })
    if (status !== 0) throw new Error(`${program}: ${stderr}${error ?? ''}`)
  }
}

/** Signals a process of the server; it may have ended since it was listed, as one that cancels a statement does. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** The user of the server where the tests run as root, which PostgreSQL refuses. */
export const user = process.getuid?.() === 0 ? unprivileged() : undefined

function unprivileged(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map(flag =>
      spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout.trim(),
    )
    if (uid) return { uid: Number(uid), gid: Number(gid) }
  }
  return { uid: 65_534, gid: 65_534 }
}

/** A command line that runs a program as the user above. */
export function asUser(program: string, args: readonly string[]): string[] {
  if (user === undefined) return [program, ...args]
  return ['setpriv', `--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups', program, ...args]
}

function findPrograms(): string | undefined {
  const debian = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : []
  const found = spawnSync('sh', ['-c', 'command -v postgres'], { encoding: 'utf8' }).stdout?.trim()
  const folders = [
    ...debian.map(version => join(DEBIAN, version, 'bin')),
    found && dirname(realpathSync(found)),
  ]
  return folders.find(folder => {
    if (!folder || !existsSync(join(folder, 'initdb'))) return false
    const { stdout } = spawnSync(join(folder, 'postgres'), ['--version'], { encoding: 'utf8' })
    return Number(/\d+/.exec(stdout)?.[0]) >= 14
  }) as string | undefined
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** The key of a lock, derived a second time on purpose: other programs derive it too. */
export function postgresKeyOf(name: string): bigint {
  return createHash('sha256').update(`os-ipc:lock:${name}`).digest().readBigInt64BE()
}
