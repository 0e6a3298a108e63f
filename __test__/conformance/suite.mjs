// A runner for any JavaScript runtime that has Node's modules: TAP, one test after the other, a time limit each.

import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The package under test: `OS_IPC_PACKAGE` is the folder of an installed one. */
export const entry = process.env.OS_IPC_PACKAGE
  ? new URL(`file://${process.env.OS_IPC_PACKAGE}/index.js`).href
  : new URL('../../index.js', import.meta.url).href
export const ipc = await import(entry)

/** How another process of this runtime is started; a runtime under an emulator cannot start itself by its path. */
const RUNTIME = JSON.parse(process.env.OS_IPC_RUNTIME ?? JSON.stringify([process.execPath]))
const LIMIT = Number(process.env.OS_IPC_LIMIT ?? 20_000)

const tests = []
const cleanups = []

export function test(name, run) {
  tests.push({ name, run })
}

/** What is undone when the test ends, however it ends. */
export function cleanup(undo) {
  cleanups.push(undo)
}

export function uniqueName() {
  return `/os-ipc-${randomBytes(6).toString('hex')}`
}

export function uniqueKey() {
  return randomBytes(4).readInt32LE() | 1
}

/** Runs all tests whose name contains `only`; the exit code counts the failed ones. */
export async function runAll(only = '') {
  const chosen = tests.filter(({ name }) => name.includes(only))
  console.log(`TAP version 13\n1..${chosen.length}`)
  let failed = 0
  for (const [index, { name, run }] of chosen.entries()) {
    const problem = await outcome(run)
    if (problem) failed += 1
    console.log(`${problem ? 'not ok' : 'ok'} ${index + 1} - ${name}`)
    if (problem) console.log(`  ---\n  ${String(problem.stack ?? problem).replaceAll('\n', '\n  ')}\n  ...`)
  }
  return failed
}

async function outcome(run) {
  let alarm
  // Not unref'd: a test that waits for nothing would end the program.
  const late = new Promise((_, reject) => {
    alarm = setTimeout(() => reject(new Error(`not done within ${LIMIT} ms`)), LIMIT)
  })
  try {
    await Promise.race([run(), late])
    return undefined
  } catch (error) {
    return error
  } finally {
    clearTimeout(alarm)
    for (const undo of cleanups.splice(0).reverse()) {
      try {
        await undo()
      } catch {
        // The test did it.
      }
    }
  }
}

/** Another process that runs peer.mjs; it says a line of JSON for each line it hears. */
export function peer() {
  const file = fileURLToPath(new URL('peer.mjs', import.meta.url))
  const [command, ...args] = [...RUNTIME, file]
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const ended = new Promise(resolve => child.once('exit', (code, signal) => resolve({ code, signal })))
  cleanup(() => {
    child.kill('SIGKILL')
    return ended
  })
  return {
    pid: child.pid,
    ended,
    kill: signal => child.kill(signal),
    /** Tells it a function of `peer.mjs` and its arguments, without waiting for the answer. */
    tell: (...call) => void child.stdin.write(`${JSON.stringify(call)}\n`),
    /** Its next answer. */
    async hear() {
      const { value, done } = await lines.next()
      if (done) throw new Error('the other process ended')
      return JSON.parse(value)
    },
    async ask(...call) {
      this.tell(...call)
      return this.hear()
    },
  }
}

/** A semaphore that goes with the test. */
export function semaphore(backend, initial) {
  const name = uniqueName()
  const made = ipc.Semaphore.create(name, { initial, backend })
  cleanup(() => made.close())
  cleanup(() => ipc.Semaphore.unlink(name, { backend }))
  return made
}

/** A limit that goes with the test. */
export function limit(engine, permits) {
  const name = uniqueName()
  const made = ipc.Limit.create(name, { permits, engine })
  cleanup(() => made.close())
  cleanup(() => ipc.Limit.unlink(name))
  return made
}

/** The kinds of memory of this platform. */
export const memoryKinds = process.platform === 'win32' ? ['windows'] : ['posix', 'sysv']

/** Memory that goes with the test; a number is a System V key. */
export function memory(kind, size) {
  const id = kind === 'sysv' ? uniqueKey() : uniqueName()
  const made = ipc.SharedMemory.create(id, { size })
  cleanup(() => made.close())
  cleanup(() => ipc.SharedMemory.unlink(id))
  return { id, made }
}

export async function rejection(promise) {
  try {
    await promise
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))
