// A contender at work: a child process that reads a count from a line and answers with a line.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { home } from './programs.mjs'

const READY_WITHIN = 60_000
const ANSWER_WITHIN = 120_000

/** A process that does one contender's work. */
class Child {
  #process
  #lines
  #what

  constructor(what, [command, ...args], env) {
    this.#what = what
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, ...env },
    })
    this.#process.stdin.on('error', () => {})
    this.#lines = createInterface({ input: this.#process.stdout })[Symbol.asyncIterator]()
  }

  async ready() {
    await this.#line(READY_WITHIN)
    return this
  }

  /** Does the work `count` times: `{ operations, nanoseconds, work }`, and further facts of the contender. */
  async run(count) {
    this.#process.stdin.write(`${count}\n`)
    return JSON.parse(await this.#line(ANSWER_WITHIN))
  }

  async end() {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'exit')
    this.#process.stdin.end()
    const alarm = setTimeout(() => this.#process.kill('SIGKILL'), 5000)
    await ended
    clearTimeout(alarm)
  }

  async #line(limit) {
    const late = Symbol('late')
    const alarm = new AbortController()
    const answer = await Promise.race([
      this.#lines.next(),
      new Promise(resolve => {
        const timer = setTimeout(resolve, limit, late)
        alarm.signal.addEventListener('abort', () => clearTimeout(timer))
      }),
    ])
    alarm.abort()
    if (answer === late) {
      this.#process.kill('SIGKILL')
      throw new Error(`${this.#what} did not answer within ${limit / 1000} s`)
    }
    if (answer.done) throw new Error(`${this.#what} ended before it answered`)
    return answer.value
  }
}

/** Many processes that do the same at the same time. */
class Crowd {
  #members

  constructor(members) {
    this.#members = members
  }

  async ready() {
    await Promise.all(this.#members.map(member => member.ready()))
    return this
  }

  async run(count) {
    const start = process.hrtime.bigint()
    const answers = await Promise.all(this.#members.map(member => member.run(count)))
    const nanoseconds = Number(process.hrtime.bigint() - start)
    const sum = key => answers.reduce((total, answer) => total + answer[key], 0)
    return { operations: sum('operations'), nanoseconds, work: sum('work') }
  }

  async end() {
    await Promise.all(this.#members.map(member => member.end()))
  }
}

/** Starts a contender; undefined where its program is missing. `object` is the name of its IPC objects. */
export function start(scene, name, contender, object) {
  const what = `${name} of ${scene}`
  switch (contender.kind) {
    case 'node': {
      const serve = join(home, 'shared/serve.mjs')
      return new Child(what, [process.execPath, ...contender.args, serve, scene, name, object], contender.env)
    }
    case 'program': {
      const command = contender.command()
      return command && new Child(what, [...command, object], {})
    }
    case 'crowd': {
      const members = Array.from({ length: contender.size }, () =>
        start(scene, name, contender.contender, object),
      )
      return members.includes(undefined) ? undefined : new Crowd(members)
    }
  }
}
