// Makes one call of the package, and prints its error and what the call left in this process.

import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

import { setTimeout as sleep } from 'node:timers/promises'

import { Limit, type LimitEngine, locks, Semaphore, SharedMemory } from '../../index.js'
import { say } from '../../__test__/shared/fixture.ts'

const [kind = '', method = '', name = '', key, segment] = process.argv.slice(2)
const before = held()
let error: object | undefined
try {
  if (kind === 'memory' || kind === 'segment') memory(kind === 'memory' ? name : Number(key))
  else if (kind === 'lock') await lock()
  // Without an engine, a limit would be a ledger where System V calls are refused.
  else if (kind === 'limit') await limit({ engine: 'sysv' })
  else if (kind === 'ledger') await limit({ engine: 'ledger' })
  else await semaphore(kind as 'sysv' | 'posix')
} catch (caught) {
  const { name, code, errno, syscall, message, hint } = caught as NodeJS.ErrnoException & { hint?: string }
  error = { name, code: name === 'TimeoutError' ? 'ETIMEDOUT' : code, errno, syscall, message, hint }
}
let leaked = added()
// The thread that waits for ledgers lets go of one a moment after its last wait.
for (let look = 0; kind === 'ledger' && leaked.length > 0 && look < 100; look += 1) {
  await sleep(50)
  leaked = added()
}
say({ error, leaked })

function added(): string[] {
  return held().filter(one => !before.includes(one))
}

function memory(id: string | number): void {
  const calls: Record<string, () => unknown> = {
    create: () => SharedMemory.create(id, { size: 4096 }).close(),
    open: () => SharedMemory.open(id).close(),
    openOrCreate: () => SharedMemory.openOrCreate(id, { size: 4096 }).close(),
    make: () => SharedMemory.openOrCreate(id, { size: 4096 }).close(),
    attach: () => SharedMemory.attach(Number(segment)).close(),
    remove: () => SharedMemory.unlink(id),
  }
  const call = calls[method]
  if (call === undefined) throw new Error(`no such call: ${method}`)
  call()
}

async function lock(): Promise<void> {
  const request = (options: object) => locks.request(name.slice(1), options, () => {})
  const calls: Record<string, () => unknown> = {
    request: () => request({}),
    share: () => request({ mode: 'shared' }),
    wait: () => request({ signal: AbortSignal.timeout(200) }),
    query: () => locks.query(),
  }
  const call = calls[method]
  if (call === undefined) throw new Error(`no such call: ${method}`)
  await call()
}

async function limit(engine: { engine: LimitEngine }): Promise<void> {
  const options = { ...engine, permits: 2, mode: 0o666 }
  const on = async (act: (opened: Limit) => unknown) => {
    using opened = Limit.open(name, engine)
    await act(opened)
  }
  const calls: Record<string, () => unknown> = {
    create: () => Limit.create(name, options).close(),
    open: () => Limit.open(name, engine).close(),
    make: () => Limit.openOrCreate(name, options).close(),
    remove: () => Limit.unlink(name, engine),
    acquire: () => on(async opened => (await opened.acquire({ timeout: 200 })).release()),
    tryAcquire: () => on(opened => opened.tryAcquire()?.release()),
    wait: () => on(opened => opened.acquire({ timeout: 200 })),
    grow: () => on(opened => opened.resize(3)),
    shrink: () => on(opened => opened.resize(1, { timeout: 200 })),
    permits: () => on(opened => opened.permits),
    info: () => on(opened => opened.info()),
  }
  const call = calls[method]
  if (call === undefined) throw new Error(`no such call: ${method}`)
  await call()
}

async function semaphore(backend: 'sysv' | 'posix'): Promise<void> {
  const open = () => Semaphore.open(name, { backend })
  const on = async (act: (opened: Semaphore) => unknown) => {
    using opened = open()
    await act(opened)
  }
  const calls: Record<string, () => unknown> = {
    create: () => Semaphore.create(name, { initial: 1, backend, mode: 0o666 }).close(),
    open: () => open().close(),
    openOrCreate: () => Semaphore.openOrCreate(name, { initial: 1, backend }).close(),
    make: () => Semaphore.openOrCreate(name, { initial: 1, backend }).close(),
    remove: () => Semaphore.unlink(name, { backend }),
    post: () => on(opened => opened.post()),
    tryWait: () => on(opened => opened.tryWait()),
    wait: () => on(opened => opened.wait({ timeout: 200 })),
    waitSync: () => on(opened => opened.waitSync({ timeout: 200 })),
    value: () => on(opened => opened.value),
    info: () => on(opened => opened.info()),
  }
  const call = calls[method]
  if (call === undefined) throw new Error(`no such call: ${method}`)
  await call()
}

/** Descriptors and mappings that the package may have made. */
function held(): string[] {
  const descriptors = readdirSync('/proc/self/fd').flatMap(fd => {
    try {
      return [`descriptor ${readlinkSync(`/proc/self/fd/${fd}`)}`]
    } catch {
      return [] // the descriptor that reads the directory
    }
  })
  const mappings = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return [
    // The inbox of a process that waited for a ledger stays with the process.
    ...descriptors.filter(one => one.includes('/dev/shm') && !one.includes('/os-ipc.wake.')),
    ...mappings
      .filter(line => /\/dev\/shm\/|\/SYSV/.test(line))
      .map(line => `mapping ${line.split(' ').at(-1)}`),
  ]
}
