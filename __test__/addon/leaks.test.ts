// After every kind of call, the process holds the same resources as before.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

import type { ExecutionContext } from 'ava'

import { Limit, locks, Semaphore, SharedMemory } from '../../index.js'
import { uniqueKey, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { threads } from '../shared/threads.ts'
import { until } from '../shared/until.ts'

/** The milliseconds to wait for the threads of the package, which stay for a second after use. */
const PATIENCE = 30_000

interface Held {
  descriptors: number
  threads: number
  mappings: number
}

function held(): Held {
  const maps = readFileSync('/proc/self/maps', 'utf8').split('\n')
  return {
    descriptors: readdirSync('/proc/self/fd').length,
    threads: readdirSync('/proc/self/task').length,
    mappings: maps.filter(line => /\/dev\/shm\/|\/SYSV/.test(line)).length,
  }
}

async function round(t: ExecutionContext, backend: 'sysv' | 'posix'): Promise<void> {
  const name = uniqueName(t)
  const semaphore = Semaphore.create(name, { initial: 1, backend })
  const other = Semaphore.open(name, { backend })
  t.true(semaphore.tryWait())
  const limit = Limit.create(`${name}-limit`, { permits: 1 })
  const permit = await limit.acquire()
  const waits = [
    semaphore.wait({ timeout: 1 }),
    other.wait({ signal: AbortSignal.timeout(2) }),
    limit.acquire({ signal: AbortSignal.timeout(2) }),
    limit.resize(0, { timeout: 1 }),
    Limit.open(`${name}-limit`).unref().acquire(),
    other.unref().wait(),
    semaphore.wait(),
  ]
  await sleep(5)
  permit.release()
  limit.unlink()
  limit.close()
  other.close()
  semaphore.unlink()
  semaphore.close()
  // The waits of unref'd handles do not keep the process alive until they end.
  const alive = setInterval(() => {}, 1_000)
  await Promise.allSettled(waits)
  clearInterval(alive)
  t.throws(() => Semaphore.open(name, { backend }), { code: 'ENOENT' })

  const lock = name.slice(1)
  await Promise.all([
    locks.request(lock, () => sleep(2)),
    locks.request(lock, { mode: 'shared' }, () => {}),
    locks.request(lock, { signal: AbortSignal.timeout(1) }, () => {}).catch(() => {}),
    locks.request(lock, { ifAvailable: true }, () => {}),
  ])

  for (const id of [name, uniqueKey(t)]) {
    const memory = SharedMemory.create(id, { size: 8192 })
    const reader = SharedMemory.open(id, { readOnly: true })
    new Uint8Array(memory.buffer).fill(1)
    t.throws(() => SharedMemory.create(id, { size: 1 }), { code: 'EEXIST' })
    t.throws(() => SharedMemory.openOrCreate(id, { size: 1 << 20 }), { code: 'ERR_SIZE' })
    reader.close()
    memory.unlink()
    memory.close()
  }
}

requires(linux)('descriptors, threads and mappings are the same as before', async t => {
  // Node makes some resources at their first use, and keeps them.
  await once(spawn('true'), 'close')
  await Promise.all(Array.from({ length: 16 }, () => readFile(import.meta.filename)))
  await round(t, 'sysv')
  await until('no thread serves a lock', () => threads().every(({ name }) => name !== 'os-ipc'))
  const before = held()
  for (let turn = 0; turn < 20; turn += 1) {
    await Promise.all([round(t, 'sysv'), round(t, 'posix')])
  }
  const deadline = performance.now() + PATIENCE
  while (JSON.stringify(held()) !== JSON.stringify(before) && performance.now() < deadline) await sleep(50)
  t.deepEqual(held(), before)
})
