// Locks of several processes, on every engine: exclusion, order, and killed holders.

import { setTimeout as sleep } from 'node:timers/promises'

import { type LockInfo, SharedMemory } from '../../index.js'
import { child, type Child } from '../shared/child.ts'
import { hold } from './helpers/hold.ts'
import { holder, isFree, onEveryEngine } from './helpers/locks.ts'
import { uniqueName } from '../shared/names.ts'
import { until } from '../shared/until.ts'

onEveryEngine(engine => {
  const { test, manager, folder, lockName, isThere } = engine

  test('an exclusive lock of another process excludes this one until it is released', async t => {
    const name = lockName(t)
    const other = holder(t, engine, name)
    t.is(await other.next(), 'held')
    t.is(await manager.request(name, { ifAvailable: true }, lock => lock), null)
    t.is(await manager.request(name, { ifAvailable: true, mode: 'shared' }, lock => lock), null)
    let granted = false
    const waiting = manager.request(name, () => {
      granted = true
    })
    await sleep(100)
    t.false(granted)
    other.send('release')
    await waiting
    t.true(granted)
  })

  test('processes share a lock at the same time, and exclude an exclusive request', async t => {
    const name = lockName(t)
    const readers = [0, 1, 2].map(() => holder(t, engine, name, { mode: 'shared' }))
    for (const reader of readers) t.is(await reader.next(), 'held')
    const release = await hold(manager, name, { mode: 'shared' })
    t.is(await manager.request(name, { ifAvailable: true }, lock => lock), null)
    const { held } = await manager.query()
    const pids = held.filter(lock => lock.name === name).map(({ pid }) => pid)
    const sorted = (pids: unknown[]) => pids.map(Number).sort((a, b) => a - b)
    t.deepEqual(sorted(pids), sorted([process.pid, ...readers.map(({ pid }) => pid)]))
    await release()
    for (const reader of readers) reader.send('release')
    t.is(await manager.request(name, lock => lock?.mode), 'exclusive')
  })

  for (const mode of ['exclusive', 'shared'] as const) {
    test(`a ${mode} lock of a killed process is free`, async t => {
      const name = lockName(t)
      const other = holder(t, engine, name, { mode })
      t.is(await other.next(), 'held')
      const waiting = manager.request(name, lock => lock?.mode)
      await sleep(50)
      other.kill('SIGKILL')
      t.is(await waiting, 'exclusive')
      await until('nothing is left', () => !isThere(name))
    })
  }

  test('a process that is killed while it waits blocks no other request', async t => {
    const name = lockName(t)
    const release = await hold(manager, name, { mode: 'shared' })
    const writer = holder(t, engine, name)
    await untilPending(name, 1)
    writer.kill('SIGKILL')
    await writer.exit
    t.is(await manager.request(name, { mode: 'shared' }, () => 'read'), 'read')
    await release()
    t.is(await manager.request(name, () => 'written'), 'written')
  })

  test('query lists the locks and waits of other processes, with their pids', async t => {
    const name = lockName(t)
    const first = holder(t, engine, name, { mode: 'shared' })
    t.is(await first.next(), 'held')
    const writer = holder(t, engine, name)
    await untilPending(name, 1)
    await until('the gate is shut', async () => !(await isFree(manager, name, 'shared')))
    const reader = holder(t, engine, name, { mode: 'shared' })
    await untilPending(name, 2)
    const { held, pending } = await manager.query()
    const entry = (mode: string, { pid }: Child) => ({ name, mode, pid, clientId: `node-${pid}` })
    t.deepEqual(ours(name, held), [entry('shared', first)])
    t.deepEqual(
      ours(name, pending).sort((a, b) => a.mode.localeCompare(b.mode)),
      [entry('exclusive', writer), entry('shared', reader)],
    )
    first.send('release')
    t.is(await writer.next(), 'held')
    const next = await manager.query()
    t.deepEqual(ours(name, next.held), [entry('exclusive', writer)])
    t.deepEqual(ours(name, next.pending), [entry('shared', reader)])
    writer.send('release')
    t.is(await reader.next(), 'held')
    reader.send('release')
    await Promise.all([first, writer, reader].map(other => other.exit))
    t.deepEqual(ours(name, (await manager.query()).held), [])
  })

  test('query shows a client under one id, and waits in the order of the requests', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const pids: number[] = []
    const mine: Promise<unknown>[] = []
    const children: Child[] = []
    for (let turn = 0; turn < 3; turn++) {
      mine.push(manager.request(name, () => {}))
      await untilPending(name, pids.push(process.pid))
      const other = holder(t, engine, name, { mode: turn === 1 ? 'shared' : 'exclusive' })
      children.push(other)
      await untilPending(name, pids.push(other.pid))
    }
    const { pending } = await manager.query()
    t.deepEqual(
      ours(name, pending).map(({ pid }) => pid),
      pids,
    )
    t.deepEqual(
      ours(name, pending).map(({ clientId }) => clientId),
      pids.map(pid => `node-${pid}`),
    )
    t.deepEqual(
      ours(name, pending).map(({ threadId }) => threadId),
      pids.map(pid => (pid === process.pid ? 0 : undefined)),
    )
    // A third process sees the same, with this process's requests together at the place of the first.
    const from = child(t, 'lock/query-locks.ts', { args: [folder, name] })
    const others = children.map(({ pid }) => `node-${pid}`)
    const own = `node-${process.pid}`
    t.deepEqual(await from.next(), [own, own, own, ...others])
    await release()
    // Between processes the kernel chooses the next one, so each child is served when its turn comes.
    const turns = children.map(async other => {
      t.is(await other.next(), 'held')
      other.send('release')
    })
    await Promise.all([...mine, ...turns])
  })

  test('a writer gets in among readers that never leave a gap', async t => {
    const name = lockName(t)
    const readers = [0, 1].map(() => child(t, 'lock/share-lock.ts', { args: [folder, name], limit: 110_000 }))
    for (const reader of readers) t.is(await reader.next(), 'sharing')
    for (let turn = 0; turn < 5; turn++) {
      const signal = AbortSignal.timeout(20_000)
      t.is(await manager.request(name, { signal }, lock => lock?.mode), 'exclusive')
    }
    for (const reader of readers) reader.send('end')
    for (const reader of readers) t.is((await reader.exit).code, 0)
    await until('nothing is left', () => !isThere(name))
  })

  test('an exclusive holder is always alone, whichever process is killed at whichever moment', async t => {
    const name = lockName(t)
    const shared = uniqueName(t)
    const memory = SharedMemory.create(shared, { size: 64 })
    t.teardown(() => memory.close())
    const pids = new Int32Array(memory.buffer)
    const counts = { alone: 0, together: 0, killed: 0 }
    const violations: unknown[] = []
    let ended = false
    const contend = async (place: number) => {
      while (!ended) {
        const process = child(t, 'lock/contend-for-lock.ts', {
          args: [folder, name, shared, place],
          limit: 110_000,
        })
        for (let turns = 0, most = 1 + Math.random() * 20; turns < most && !ended; turns++) {
          const line = await process.next()
          if (line === 'alone' || line === 'together') counts[line] += 1
          else violations.push(line)
        }
        Atomics.store(pids, 3 + place, process.pid)
        process.kill('SIGKILL')
        await process.exit
        // Removes the pid that the killed process could not remove: at its next kill, nothing would mark that pid as dead.
        for (const index of [0, place]) Atomics.compareExchange(pids, index, process.pid, 0)
        counts.killed += 1
      }
    }
    const contenders = [1, 2, 3].map(contend)
    const start = performance.now()
    while (performance.now() - start < 100_000) {
      if (counts.killed >= 24 && counts.alone >= 60 && counts.together >= 60) break
      await sleep(20)
    }
    ended = true
    await Promise.all(contenders)
    t.deepEqual(violations, [])
    t.true(counts.killed >= 24 && counts.alone >= 60 && counts.together >= 60, JSON.stringify(counts))
    t.is(
      await manager.request(name, { signal: AbortSignal.timeout(20_000) }, lock => lock?.mode),
      'exclusive',
    )
    await until('nothing is left', () => !isThere(name))
  })

  test('processes that come and go leave no object, and none gets an error', async t => {
    const name = lockName(t)
    // Each of them is often the last user, and removes the lock that another one is about to open.
    const others = [0, 1, 2].map(() =>
      child(t, 'lock/lock-turns.ts', { args: [folder, name, 300], limit: 90_000 }),
    )
    for (const other of others) t.like(await other.exit, { code: 0, stdout: '"done"\n', stderr: '' })
    await until('nothing is left', () => !isThere(name))
  })

  async function untilPending(name: string, count: number): Promise<void> {
    await until(`${count} wait`, async () => ours(name, (await manager.query()).pending).length === count)
  }
})

function ours(name: string, all: LockInfo[]): LockInfo[] {
  return all.filter(lock => lock.name === name)
}
