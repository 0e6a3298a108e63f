// The recorded number of permits: it grows at once, and shrinks as permits come back.

import { setTimeout as sleep } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { Limit } from '../../index.js'
import { child, type Child } from '../shared/child.ts'
import type { Engine } from '../shared/engines.ts'
import { inTime } from '../shared/in-time.ts'
import { until } from '../shared/until.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { remote } from './helpers/remote.ts'

onEachEngine()('a limit grows at once, and wakes its waiters', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const held = limit.tryAcquire()
  const waits = [limit.acquire(), limit.acquire(), limit.acquire()]
  const other = remote(t, 'open', limit.name)
  t.is(await other.call('resize', 4), 'done')
  for (const permit of await Promise.all(waits)) permit.release()
  held?.release()
  t.like(limit.info(), { permits: 4, free: 4, holders: [], unnamed: 0 })
})

onEachEngine()(
  'shrinking removes free permits at once, and held permits when they come back',
  async (t, engine) => {
    const limit = ownLimit(t, 5, { engine })
    const permits = Array.from({ length: 4 }, () => limit.tryAcquire())
    let done = false
    const resizing = limit.resize(2).then(() => {
      done = true
    })
    t.like(limit.info(), { permits: 4, free: 0, pending: 1 })
    permits.pop()?.release()
    await until('one more is gone', () => limit.permits === 3)
    t.false(done)
    permits.pop()?.release()
    await resizing
    t.like(limit.info(), { permits: 2, free: 0, holders: [{ pid: process.pid, permits: 2 }] })
    for (const permit of permits) permit?.release()
    t.is(freeOf(limit), 2)
  },
)

onEachEngine()('a shrinking waits its turn like every waiter', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const held = limit.tryAcquire()
  const order: string[] = []
  const before = limit.acquire().then(permit => {
    order.push('before')
    permit.release()
  })
  const resizing = limit.resize(0).then(() => order.push('resized'))
  const controller = new AbortController()
  const after = limit.acquire({ signal: controller.signal }).catch(({ name }) => order.push(name))
  held?.release()
  await Promise.all([before, resizing])
  t.is(limit.info().pending, 1)
  controller.abort()
  await after
  t.deepEqual(order, ['before', 'resized', 'AbortError'])
})

onEachEngine()('a limit of 0 permits grants none until it grows again', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  await limit.resize(0)
  t.is(limit.tryAcquire(), null)
  const error = await t.throwsAsync(limit.acquire({ timeout: 5 }), { code: 'ETIMEDOUT' })
  t.like(error, { hint: 'the limit has 0 permits: resize() gives it permits', holders: [] })
  const waiting = limit.acquire()
  await limit.resize(1)
  ;(await waiting).release()
  t.like(limit.info(), { permits: 1, free: 1 })
})

onEachEngine()('a resizing that is aborted leaves a consistent record', async (t, engine) => {
  for (const end of ['abort', 'timeout', 'close'] as const) {
    for (let more = 0; more < 3 && !(await abortedResizing(t, engine, end)); more += 1);
  }
})

/** Whether the resizing ended in time: after that, its thread may take one more permit away. */
async function abortedResizing(
  t: ExecutionContext,
  engine: Engine,
  end: 'abort' | 'timeout' | 'close',
): Promise<boolean> {
  const limit = ownLimit(t, 4, { engine })
  const other = Limit.open(limit.name)
  const permits = [limit.tryAcquire(), limit.tryAcquire()]
  const controller = new AbortController()
  const options = end === 'timeout' ? { timeout: 30 } : { signal: controller.signal }
  const wasInTime = await inTime(async () => {
    const resizing = t.throwsAsync(other.resize(0, options))
    if (end === 'abort') controller.abort()
    if (end === 'close') other.close()
    const error = await resizing
    if (end !== 'timeout') return
    t.is(error.message, `the limit '${limit.name}' did not reach 0 permits in time`)
    t.like(error, { code: 'ETIMEDOUT', hint: `of its 2 permits, process ${process.pid} holds 2` })
  })
  t.like(limit.info(), { permits: 2, free: 0, pending: 0 }, end)
  for (const permit of permits) permit?.release()
  if (!wasInTime) return false
  await until('both are free', () => freeOf(limit) === 2)
  t.like(limit.info(), { permits: 2, free: 2, holders: [], unnamed: 0 }, end)
  return true
}

onEachEngine()('a resizing that is aborted before it begins changes nothing', async (t, engine) => {
  const limit = ownLimit(t, 4, { engine })
  const reason = new Error('no more')
  t.is(await t.throwsAsync(limit.resize(1, { signal: AbortSignal.abort(reason) })), reason)
  t.is(limit.permits, 4)
})

onEachEngine()('resize refuses an invalid number of permits before anything changes', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  for (const permits of [-1, 32_768, 1.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    await t.throwsAsync(limit.resize(permits), { instanceOf: RangeError, code: 'ERR_OUT_OF_RANGE' })
  }
  for (const permits of [undefined, null, '1', 1n, {}] as unknown as number[]) {
    await t.throwsAsync(limit.resize(permits), { instanceOf: TypeError, code: 'ERR_INVALID_ARG_TYPE' })
  }
  await limit.resize(32_767)
  await limit.resize(0)
  t.like(limit.info(), { permits: 0, free: 0 })
})

onEachEngine()(
  'each of two concurrent resizes resolves at its own number, and the later number stays',
  async (t, engine) => {
    for (let round = 0; round < 10; round++) {
      const limit = ownLimit(t, 20, { engine })
      const permits = Array.from({ length: 20 }, () => limit.tryAcquire())
      const other = remote(t, 'open', limit.name)
      await other.opened
      const [here, there] = [limit.resize(5), other.call('resize', 9)]
      if (round % 2 === 0) await until('both wait', () => limit.info().waiters === 2)
      for (const permit of permits) permit?.release()
      t.is(await there, 'done')
      await here
      const { permits: ended, free } = limit.info()
      t.true(ended === 5 || ended === 9, `${ended}`)
      t.is(free, ended as number)
      other.child.send(null)
      await other.child.exit
    }
  },
)

onEachEngine()('a process that is killed while it shrinks leaves a consistent record', async (t, engine) => {
  const limit = ownLimit(t, 8, { engine })
  for (let round = 0; round < 10; round++) {
    await limit.resize(8)
    const permits = Array.from({ length: 6 }, () => limit.tryAcquire())
    const other = remote(t, 'open', limit.name)
    await other.opened
    void other.call('resize', 0).catch(() => {})
    await until('it waits', () => limit.info().waiters === 1)
    if (round % 2 === 0) permits.pop()?.release()
    other.child.kill('SIGKILL')
    for (const permit of permits) permit?.release()
    await other.child.exit
    const { permits: left, free } = limit.info()
    t.is(free, left as number)
  }
})

test.serial(
  'while processes that resize are killed, at most the larger number of holders run, and the end is exact',
  async t => {
    const limit = ownLimit(t, 6)
    const workers: Child[] = []
    let kills = 0
    const start = () =>
      workers.push(child(t, 'limit/permits-only.ts', { args: [limit.name, 3], limit: 60_000 }))
    for (let i = 0; i < 5; i++) start()
    const resizer = (numbers: readonly number[]) =>
      (async () => {
        const own = Limit.open(limit.name)
        while (kills < 25) {
          for (const permits of numbers) await own.resize(permits)
        }
        own.close()
      })()
    const resizers = [resizer([2, 6, 4]), resizer([1, 5])]
    let most = 0
    for (; kills < 25; kills++) {
      const victim = workers.shift() as Child
      await victim.until('started')
      for (let look = 0; look < 10; look++) {
        const { holders = [] } = limit.info()
        most = Math.max(
          most,
          holders.reduce((sum, { permits }) => sum + permits, 0),
        )
        await sleep(Math.random() * 3)
      }
      victim.kill('SIGKILL')
      start()
    }
    await Promise.all(resizers)
    for (const worker of workers) worker.kill('SIGKILL')
    await Promise.all(workers.map(worker => worker.exit))
    t.true(most <= 6, `${most}`)
    const { permits } = limit.info()
    await until('all permits are free', () => freeOf(limit) === permits)
    t.like(limit.info(), { holders: [], unnamed: 0, waiters: 0 })
  },
)
