// When a lock ends, the requests of its process that it blocked are granted before any code learns of its end.

import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

import type { ExecutionContext } from 'ava'

import type { LockMode } from '../../index.js'
import { hold } from './helpers/hold.ts'
import { holder, isFree, onEveryEngine } from './helpers/locks.ts'
import { inTime } from '../shared/in-time.ts'
import { until } from '../shared/until.ts'

onEveryEngine(engine => {
  const { test, manager, lockName } = engine
  const shared: { mode: LockMode } = { mode: 'shared' }

  test('all shared requests behind a request are granted when it has resolved', async t => {
    const name = lockName(t)
    for (let round = 0; round < 10; round++) {
      const release = await hold(manager, name)
      const gate = Promise.withResolvers<void>()
      const granted: number[] = []
      const behind = [0, 1, 2, 3].map(index =>
        manager.request(name, shared, () => {
          granted.push(index)
          return gate.promise
        }),
      )
      if (round % 2 === 1) await sleep(25)
      if (await inTime(release)) t.deepEqual(granted, [0, 1, 2, 3])
      gate.resolve()
      await Promise.all(behind)
      t.deepEqual(granted, [0, 1, 2, 3])
    }
  })

  test('exclusive requests are granted one after the other, each when the request before it has ended', async t => {
    const name = lockName(t)
    const granted: number[] = []
    const trouble = new Error('trouble')
    const requests = Array.from({ length: 20 }, (_, index) =>
      manager.request(name, async () => {
        granted.push(index)
        await sleep(0)
        if (index % 3 === 0) throw trouble
      }),
    )
    for (const [index, request] of requests.entries()) {
      const ended = () => request.catch(error => t.is(error, trouble))
      if (!(await inTime(ended))) continue
      t.deepEqual(
        granted,
        Array.from({ length: Math.min(index + 2, 20) }, (_, granted) => granted),
      )
    }
    t.is(granted.length, 20)
  })

  // The web platform's two tests of mixed modes.
  test('shared locks are held together, and then the exclusive one behind them', async t => {
    const [a, b] = [lockName(t), lockName(t)]
    const gate = Promise.withResolvers<void>()
    const granted: string[] = []
    const take = (event: string) => async () => {
      granted.push(event)
      await gate.promise
    }
    for (const event of ['a-shared-1', 'a-shared-2', 'a-shared-3']) manager.request(a, shared, take(event))
    const exclusive = manager.request(a, async () => void granted.push('a-exclusive'))
    await manager.request(b, async () => void granted.push('b-exclusive'))
    const before = ['a-shared-1', 'a-shared-2', 'a-shared-3', 'b-exclusive']
    t.deepEqual(granted, before)
    gate.resolve()
    await exclusive
    t.deepEqual(granted, [...before, 'a-exclusive'])
  })

  test('an exclusive lock is held alone, and then the shared ones behind it together', async t => {
    const [a, b] = [lockName(t), lockName(t)]
    const gate = Promise.withResolvers<void>()
    const granted: string[] = []
    const take = (event: string) => async () => {
      granted.push(event)
      await gate.promise
    }
    const first = manager.request(a, take('a-exclusive'))
    const behind = ['a-shared-1', 'a-shared-2', 'a-shared-3'].map(event =>
      manager.request(a, shared, async () => {
        granted.push(event)
      }),
    )
    await manager.request(b, shared, async () => void granted.push('b-shared'))
    t.deepEqual(granted, ['a-exclusive', 'b-shared'])
    const all = ['a-exclusive', 'b-shared', 'a-shared-1', 'a-shared-2', 'a-shared-3']
    gate.resolve()
    if (await inTime(() => first)) t.deepEqual(granted, all)
    await Promise.all(behind)
    t.deepEqual(granted, all)
  })

  test('the end of the last shared lock grants the exclusive request', async t => {
    const name = lockName(t)
    const [one, other] = [await hold(manager, name, shared), await hold(manager, name, shared)]
    let granted = false
    const writer = manager.request(name, () => {
      granted = true
    })
    await one()
    t.false(granted)
    if (await inTime(other)) t.true(granted)
    await writer
    t.true(granted)
  })

  test('a request whose signal aborts during its grant passes the lock to the next request', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const controller = new AbortController()
    const { signal } = controller
    // The signal's code runs when the grant removes the listener.
    signal.removeEventListener = (...args: unknown[]) => {
      controller.abort('too late')
      return Reflect.apply(EventTarget.prototype.removeEventListener, signal, args)
    }
    const second = manager.request(name, { signal }, () => t.fail('it ran'))
    const third = manager.request(name, () => 'third')
    await release()
    t.is(await second.catch(reason => reason), 'too late')
    t.is(await third, 'third')
    await until('the lock is free', () => isFree(manager, name))
  })

  test('a callback that throws at its grant fails its own request and no other', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const trouble = new Error('trouble')
    const behind = [0, 1, 2].map(index =>
      manager.request(name, shared, () => {
        if (index === 1) throw trouble
        return index
      }),
    )
    await release()
    const outcomes = await Promise.allSettled(behind)
    t.deepEqual(
      outcomes.map(outcome => (outcome.status === 'fulfilled' ? outcome.value : outcome.reason)),
      [0, trouble, 2],
    )
    await until('the lock is free', () => isFree(manager, name))
  })

  test('a callback or subscriber that takes and ends other locks meanwhile loses no lock', async t => {
    const [name, other] = [lockName(t), lockName(t)]
    const inner: Promise<unknown>[] = []
    const subscriber = (message: unknown) => {
      const { name: acquired, wait } = message as { name: string; wait: number | undefined }
      if (acquired === name && wait !== undefined) inner.push(manager.request(other, () => sleep(0)))
    }
    subscribe('os-ipc:lock:acquired', subscriber)
    t.teardown(() => unsubscribe('os-ipc:lock:acquired', subscriber))
    const release = await hold(manager, name)
    const granted: number[] = []
    const behind = Array.from({ length: 30 }, (_, index) =>
      manager.request(name, index % 3 === 0 ? {} : shared, async () => {
        granted.push(index)
        await manager.request(other, () => {})
      }),
    )
    await release()
    await Promise.all(behind)
    t.is(inner.length, 30)
    await Promise.all(inner)
    t.is(granted.length, 30)
    const { held, pending } = await manager.query()
    t.deepEqual(
      [...held, ...pending].filter(lock => lock.name === name || lock.name === other),
      [],
    )
  })

  test('waiting processes get their turns, and no request waits for ever', async t => {
    const name = lockName(t)
    const release = await hold(manager, name)
    const stranger = holder(t, engine, name)
    // By now it waits in the kernel, or will soon.
    await sleep(300)
    const behind = [0, 1, 2].map(() => manager.request(name, () => sleep(1)))
    await release()
    t.is(await stranger.next(), 'held')
    stranger.send('release')
    await Promise.all(behind)
    await stranger.exit
  })

  test('a worker hands over its locks in the same way', async t => {
    let outcome = await handOverInWorker(t)
    for (let more = 0; more < 2 && !outcome.wasInTime; more += 1) outcome = await handOverInWorker(t)
    t.deepEqual(outcome, { wasInTime: true, granted: [0, 1, 2] })
  })

  async function handOverInWorker(t: ExecutionContext): Promise<{ wasInTime: boolean; granted: number[] }> {
    const worker = new Worker(new URL('fixtures/hand-over-in-worker.ts', import.meta.url), {
      workerData: { folder: engine.folder, name: lockName(t) },
    })
    const outcome = new Promise<{ wasInTime: boolean; granted: number[] }>((resolve, reject) =>
      worker.once('message', resolve).once('error', reject),
    )
    return outcome.finally(() => worker.terminate())
  }
})
