import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

import type { Surroundings } from '../__test__/shared/surroundings.ts'
import type { Trial } from './promise.ts'

export interface ProgramOptions {
  args?: readonly (string | number)[]
  env?: Record<string, string | undefined>
  node?: string
  within?: readonly Surroundings[]
  /** Hides its standard error. */
  quiet?: boolean
}

export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/** A child process that prints lines of JSON. It is in this process's group, and so always ends with it. */
export class Program {
  readonly pid: number
  readonly exit: Promise<End>
  readonly #process: ChildProcess
  readonly #lines: unknown[] = []
  readonly #readers: ((line: unknown) => void)[] = []
  #closed = false

  constructor(
    [command = '', ...args]: readonly string[],
    { env, quiet = false }: Pick<ProgramOptions, 'env' | 'quiet'> = {},
  ) {
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', quiet ? 'ignore' : 'inherit'],
      env: { ...process.env, ...env },
    })
    this.pid = this.#process.pid ?? 0
    this.exit = once(this.#process, 'exit').then(([code, signal]) => ({ code, signal }))
    this.#process.stdin?.on('error', () => {}) // the child ended during the write
    const lines = createInterface({ input: this.#process.stdout as NodeJS.ReadableStream })
    lines.on('line', line => {
      const value = parsed(line)
      const reader = this.#readers.shift()
      if (reader) reader(value)
      else this.#lines.push(value)
    })
    lines.once('close', () => {
      this.#closed = true
      for (const reader of this.#readers.splice(0)) reader(undefined)
    })
  }

  /** The next line; `undefined` when it prints no more. */
  next(): Promise<unknown> {
    if (this.#lines.length > 0) return Promise.resolve(this.#lines.shift())
    if (this.#closed) return Promise.resolve(undefined)
    return new Promise(resolve => this.#readers.push(resolve))
  }

  /** Sends the child a line of JSON; see `heard` in `__test__/shared/fixture.ts`. */
  send(value: unknown): void {
    this.#process.stdin?.write(`${JSON.stringify(value)}\n`)
  }

  /** Ends the child's standard input. */
  close(): void {
    this.#process.stdin?.end()
  }

  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    this.#process.kill(signal)
  }
}

/** Starts `promises/NAME.child.ts`. */
export function child(trial: Trial, name: string, options: ProgramOptions = {}): Program {
  const { args = [], node = process.execPath, within = [] } = options
  const file = fileURLToPath(new URL(`promises/${name}.child.ts`, import.meta.url))
  const argv = [node, '--disable-warning=ExperimentalWarning', file, ...args.map(String)]
  const started = new Program(
    within.reduceRight((inner, place) => place.wrap(inner), argv),
    options,
  )
  trial.teardown(() => started.kill())
  return started
}

/** Runs `work` for every number from 0 to `count - 1`, with a bounded number at once. */
export async function atOnce(
  workers: number,
  count: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < count) await work(next++)
  }
  await Promise.all(Array.from({ length: workers }, worker))
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return line
  }
}
