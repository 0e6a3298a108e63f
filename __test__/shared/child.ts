import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { Teardown } from './names.ts'
import type { NodeBinary } from './nodes.ts'
import type { Surroundings } from './surroundings.ts'

export interface ChildOptions {
  /** Arguments of the program; numbers are converted to text. */
  args?: readonly (string | number)[]
  /** Variables added to this process's environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>
  /** The milliseconds until the child is killed and the test fails; 60,000 when missing. */
  limit?: number
  /** The surroundings of the program, outermost first: `[privateIpc(), asUser(65534), injected('semget:error=EACCES')]`. */
  within?: readonly Surroundings[]
}

export interface FixtureOptions extends ChildOptions {
  /** The Node that runs it; the Node of the tests when missing. */
  node?: NodeBinary
  /** Options of Node itself. */
  nodeArgs?: readonly string[]
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
  /**
   * Whether it was killed, by itself or by another process. Windows has no signals: the exit code is 1, and nothing is
   * written.
   */
  killed: boolean
  stdout: string
  stderr: string
  /** Milliseconds from the start to the end. */
  elapsed: number
}

/**
 * Runs a fixture in its own Node: `'lock/hold-lock.ts'` is `__test__/lock/fixtures/hold-lock.ts`.
 *
 * @example
 * ```ts
 * const holder = child(t, 'shared/hold.ts', { args: [name] })
 * t.is(await holder.next(), 'held')
 * holder.kill('SIGKILL')
 * t.is((await holder.exit).signal, 'SIGKILL')
 * ```
 */
export function child(t: Teardown, fixture: string, options: FixtureOptions = {}): Child {
  const file = fileURLToPath(new URL(`../${fixture.replace('/', '/fixtures/')}`, import.meta.url))
  const node = options.node?.path ?? process.execPath
  // Node 22 warns about every .ts file.
  return program(
    t,
    [node, '--disable-warning=ExperimentalWarning', ...(options.nodeArgs ?? []), file],
    options,
  )
}

/** Runs any program as a child with a time limit; it is killed when the test ends, with every process that it started. */
export function program(t: Teardown, argv: readonly string[], options: ChildOptions = {}): Child {
  const started = new Child(argv, options)
  t.teardown(() => started.stop())
  return started
}

/** The factor by which everything is slower than usual, under a sanitizer. */
const PATIENCE = Number(process.env.OS_IPC_PATIENCE ?? 1)

/**
 * A running child process. Its output is read line by line: a line of JSON becomes its value, every other line stays a
 * text.
 */
export class Child {
  /** Its pid, also inside {@link Surroundings}. */
  readonly pid: number
  /** The way in which it ended; rejects when it did not end in time, or could not be started. */
  readonly exit: Promise<Exit>

  /** The command, as an error message shows it. */
  readonly command: string

  readonly #process: ChildProcess
  readonly #lines: unknown[] = []
  readonly #readers: { resolve: (line: unknown) => void; reject: (error: Error) => void }[] = []
  #stdout = ''
  #stderr = ''
  #ended: Error | undefined

  constructor(argv: readonly string[], { args = [], env, limit: fast = 60_000, within = [] }: ChildOptions) {
    const limit = fast * PATIENCE
    const missing = within.find(place => place.missing !== undefined)?.missing
    if (missing !== undefined) throw new Error(`${missing}; the test needs requires(...)`)
    const whole = within.reduceRight((inner, place) => place.wrap(inner), [...argv, ...args.map(String)])
    const [command = '', ...rest] = whole
    this.command = [...argv.slice(-1), ...args].join(' ')
    const start = performance.now()
    // A separate process group, so that it can be ended together with the processes that it started.
    this.#process = spawn(command, rest, { detached: true, stdio: 'pipe', env: { ...process.env, ...env } })
    this.pid = this.#process.pid ?? 0

    this.#process.stdin?.on('error', () => {}) // it ended while we wrote
    this.#process.stderr?.setEncoding('utf8').on('data', chunk => {
      this.#stderr += chunk
    })
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })
    lines.on('line', line => this.#receive(line))
    const allRead = new Promise(resolve => lines.once('close', resolve))

    this.exit = new Promise((resolve, reject) => {
      const alarm = setTimeout(() => {
        this.#end(this.#failure(`did not end within ${limit} ms`))
        this.stop()
        reject(this.#ended)
      }, limit)
      this.#process.once('error', error => {
        clearTimeout(alarm)
        this.#end(error)
        reject(error)
      })
      this.#process.once('close', async (code, signal) => {
        clearTimeout(alarm)
        await allRead
        this.#end(this.#failure(`ended (${signal ?? `exit code ${code}`})`))
        const elapsed = performance.now() - start
        const [stdout, stderr] = [this.#stdout, this.#stderr]
        const killed = signal === 'SIGKILL' || (process.platform === 'win32' && code === 1 && stderr === '')
        resolve({ code, signal, killed, stdout, stderr, elapsed })
      })
    })
    this.exit.catch(() => {}) // the caller gets the error from exit or next()
  }

  /** The next line; rejects when the process ends, or its time is up, before it prints one. */
  next(): Promise<unknown> {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift())
    if (this.#ended) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#readers.push({ resolve, reject }))
  }

  /** Drops lines up to this one. */
  async until(line: unknown): Promise<void> {
    while ((await this.next()) !== line);
  }

  /** Sends it a line of JSON; see `heard` in fixture.ts. */
  send(value: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(value)}\n`)
  }

  /** Sends a signal to the process, not to the processes that it started. */
  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    if (this.#process.pid === undefined) throw this.#failure('was never started')
    // Not by its pid: on Windows `exit` then tells nothing of the signal.
    this.#process.kill(signal)
  }

  /** Kills it and the processes that it started. */
  stop(): void {
    // Without a pid it was never started, and `kill(0)` would signal this process.
    if (this.#process.pid === undefined) return
    if (process.platform === 'win32') {
      const runs = this.#process.exitCode === null && this.#process.signalCode === null
      if (runs) spawnSync('taskkill', ['/T', '/F', '/PID', String(this.pid)])
      return
    }
    try {
      process.kill(-this.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }

  #receive(line: string): void {
    this.#stdout += `${line}\n`
    const value = parsed(line)
    const reader = this.#readers.shift()
    if (reader) reader.resolve(value)
    else this.#lines.push(value)
  }

  #end(error: Error): void {
    this.#ended ??= error
    for (const reader of this.#readers.splice(0)) reader.reject(this.#ended)
  }

  #failure(what: string): Error {
    return new Error(`${this.command} ${what}\n--- stdout\n${this.#stdout}--- stderr\n${this.#stderr}`)
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
