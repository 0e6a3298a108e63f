// A real redis-server on loopback that can be stopped, killed and restarted.

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import type { Teardown } from '../../shared/names.ts'
import { type Need, tool } from '../../shared/needs.ts'
import { fetchRedisServer } from '../../../scripts/cross/redis-servers.mjs'

/** The redis-server of this machine; without it the tests of `os-ipc/redis` are skipped with a message. */
export const redisServer: Need = tool('redis-server')

/** A server of another version or make, fetched into the cache when a test first needs it. */
export function fetchedServer(name: 'redis-6.2' | 'valkey'): Need & { path: string } {
  try {
    return { path: fetchRedisServer(name), missing: undefined }
  } catch (error) {
    return { path: '', missing: `needs ${(error as Error).message}` }
  }
}

/** The milliseconds within which a permit has to come: longer than a test's lease and every pause between two tries. */
export const PATIENCE = 40_000

/** Milliseconds for a start: long, because many servers start at once on a machine that may be busy. */
const UP_WITHIN = 60_000

/** The running servers; they end with the test file, even when it ends before its tests. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL')
})

export interface RedisServerOptions {
  /** Whether the server writes its data before it answers (an append-only file); true when missing. */
  durable?: boolean
  /** Whether it is the node of a Cluster. */
  cluster?: boolean
  /** The password that the server asks for. */
  password?: string
  /** The program, where it is not the redis-server of the machine. */
  program?: string
  /** Further settings, as redis.conf has them. */
  settings?: Readonly<Record<string, string>>
}

/** A server with its own folder and port. */
export class RedisServer {
  readonly port: number
  readonly folder: string
  readonly #options: RedisServerOptions
  #process: ChildProcess | undefined
  #begun = false

  private constructor(port: number, options: RedisServerOptions) {
    this.port = port
    this.folder = mkdtempSync(join(tmpdir(), 'os-ipc-redis-'))
    this.#options = options
  }

  /** Starts a server that answers until the test ends. */
  static async start(t: Teardown, options: RedisServerOptions = {}): Promise<RedisServer> {
    const server = new RedisServer(await freePort(), options)
    t.teardown(() => server.remove())
    await server.start()
    return server
  }

  /** Starts a separate Sentinel that watches `master` under the name `ours`. */
  static async startSentinel(t: Teardown, master: RedisServer): Promise<RedisServer> {
    const sentinel = new RedisServer(await freePort(), {})
    t.teardown(() => sentinel.remove())
    const lines = [
      `port ${sentinel.port}`,
      'bind 127.0.0.1',
      `dir ${sentinel.folder}`,
      'logfile log',
      `sentinel monitor ours 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds ours 8000',
      'sentinel failover-timeout ours 3000',
    ]
    writeFileSync(join(sentinel.folder, 'sentinel.conf'), `${lines.join('\n')}\n`)
    await sentinel.#launch('redis-server', ['sentinel.conf', '--sentinel'])
    return sentinel
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  /** Starts the server with the data in its folder. An empty server may have lost its data, so the first start is two starts. */
  async start(): Promise<void> {
    const { durable = true } = this.#options
    const isFirst = durable && !this.#begun
    this.#begun = true
    await this.#run()
    if (!isFirst) return
    await this.kill()
    await this.#run()
  }

  async #run(): Promise<void> {
    const { durable = true, cluster = false, password, settings: more } = this.#options
    const settings: Record<string, string> = {
      port: String(this.port),
      bind: '127.0.0.1',
      dir: this.folder,
      logfile: 'log',
      save: '',
      appendonly: durable ? 'yes' : 'no',
      // Written data survives the process; the server does not wait for the disk, because a busy disk takes 0.5 s.
      appendfsync: 'no',
      'maxmemory-policy': 'noeviction',
      ...(cluster && { 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' }),
      ...(password !== undefined && { requirepass: password }),
      ...more,
    }
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, ...value.split(' ')])
    await this.#launch(this.#options.program ?? 'redis-server', args)
  }

  async #launch(program: string, args: readonly string[]): Promise<void> {
    this.#process = spawn(program, args, { stdio: 'ignore', cwd: this.folder })
    const started = this.#process
    running.add(started)
    started.once('exit', () => running.delete(started))
    started.unref()
    const deadline = performance.now() + UP_WITHIN
    while (!(await this.answers())) {
      if (this.#process.exitCode !== null || performance.now() > deadline) {
        throw new Error(`redis-server did not come up: ${readFileSync(join(this.folder, 'log'), 'utf8')}`)
      }
      await sleep(20)
    }
  }

  /** Whether it answers anything at all now. */
  async answers(): Promise<boolean> {
    const socket = connect(this.port, '127.0.0.1')
    try {
      socket.setTimeout(5_000, () => socket.destroy(new Error('late')))
      socket.write('PING\r\n')
      const [reply] = await once(socket, 'data')
      return /^\+PONG|^-NOAUTH/.test(String(reply))
    } catch {
      return false
    } finally {
      socket.destroy()
    }
  }

  /** Stops the server: it answers nothing, and keeps its connections. */
  pause(): void {
    this.#process?.kill('SIGSTOP')
  }

  resume(): void {
    this.#process?.kill('SIGCONT')
  }

  /** Kills the server, as a crash does. */
  async kill(): Promise<void> {
    const process = this.#process
    if (process === undefined || process.exitCode !== null || process.signalCode !== null) return
    process.ref()
    const exit = once(process, 'exit')
    process.kill('SIGKILL')
    await exit
  }

  /** Deletes the written data, as when the folder is lost with its container. */
  async forget(): Promise<void> {
    for (const file of ['appendonlydir', 'appendonly.aof', 'dump.rdb']) {
      rmSync(join(this.folder, file), { recursive: true, force: true })
    }
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
