// Permits: taken, released once, given back when their process ends.

import { setTimeout as sleep } from 'node:timers/promises'

import { IpcError, Limit, Permit } from '../../index.js'
import { freeOf, ownLimit } from './helpers/own.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { remote } from './helpers/remote.ts'
import { keyOf } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, operate } from '../shared/sets.ts'
import { until } from '../shared/until.ts'

onEachEngine()('acquire takes a permit, and release gives it back', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  const permit = await limit.acquire()
  t.true(permit instanceof Permit)
  t.false(permit.released)
  t.is(freeOf(limit), 1)
  t.is(permit.release(), undefined)
  t.true(permit.released)
  t.is(freeOf(limit), 2)
})

onEachEngine()('a permit is released once, however often release is called', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = await limit.acquire()
  permit.release()
  permit.release()
  permit[Symbol.dispose]()
  await permit[Symbol.asyncDispose]()
  t.is(freeOf(limit), 1)
})

onEachEngine()('a second release does not release the permit of another holder', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  const [first, second] = [await limit.acquire(), await limit.acquire()]
  first.release()
  first.release()
  t.is(freeOf(limit), 1)
  second.release()
  t.is(freeOf(limit), 2)
})

onEachEngine()('using and await using release at the end of the block', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  {
    using _one = await limit.acquire()
    await using _two = await limit.acquire()
    t.is(freeOf(limit), 0)
  }
  t.is(freeOf(limit), 2)
})

onEachEngine()('waiters get permits in the order in which they began to wait', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const held = await limit.acquire()
  const order: number[] = []
  const turns = [0, 1, 2].map(async index => {
    const permit = await limit.acquire({ timeout: 15_000 })
    order.push(index)
    permit.release()
  })
  t.deepEqual(order, [])
  held.release()
  await Promise.all(turns)
  t.deepEqual(order, [0, 1, 2])
  // The thread that waited in the kernel may have the permit, and give it back when it gets a processor.
  await until('the permit is back', () => freeOf(limit) === 1)
})

onEachEngine()('acquire waits for a release in another process', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const other = remote(t, 'open', limit.name)
  t.is(await other.call('acquire'), 1)
  t.is(limit.tryAcquire(), null)
  const waiting = limit.acquire({ timeout: 15_000 })
  t.is(await other.call('release'), 'done')
  const permit = await waiting
  t.is(await other.call('tryAcquire'), false)
  permit.release()
  t.is(await other.call('tryAcquire'), true)
})

onEachEngine()('tryAcquire takes a free permit, and returns null when none is free', (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = limit.tryAcquire()
  t.true(permit instanceof Permit)
  t.is(limit.tryAcquire(), null)
  permit?.release()
  t.is(freeOf(limit), 1)
})

onEachEngine()('acquire gives up after its timeout, and leaves nothing behind', async (t, engine) => {
  const limit = ownLimit(t, 0, { engine })
  for (const timeout of [0, 1, 20]) {
    await t.throwsAsync(limit.acquire({ timeout }), { instanceOf: IpcError, code: 'ETIMEDOUT' })
  }
  t.like(limit.info(), { pending: 0, holders: [] })
  await limit.resize(1)
  await until('the permit is free', () => freeOf(limit) === 1)
})

onEachEngine()(
  'use runs a function while it holds a permit, and resolves with its result',
  async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    t.is(await limit.use(() => freeOf(limit)), 0)
    t.is(await limit.use(async () => freeOf(limit) + 10), 10)
    t.is(freeOf(limit), 1)
  },
)

onEachEngine()(
  'use releases when the function throws or rejects, and passes the error on',
  async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    const trouble = new Error('trouble')
    for (const fail of [
      () => {
        throw trouble
      },
      () => Promise.reject(trouble),
    ]) {
      const error = await t.throwsAsync(limit.use(fail))
      t.is(error, trouble)
      t.is(freeOf(limit), 1)
    }
  },
)

onEachEngine()('use lets the function release early', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  await limit.use(permit => {
    permit.release()
    t.is(freeOf(limit), 1)
  })
  t.is(freeOf(limit), 1)
})

onEachEngine()('use does not run the function when it gets no permit', async (t, engine) => {
  const limit = ownLimit(t, 0, { engine })
  const never = () => t.fail('it ran')
  await t.throwsAsync(limit.use(never, { timeout: 5 }), { code: 'ETIMEDOUT' })
  const reason = new Error('no more')
  t.is(await t.throwsAsync(limit.use(never, { signal: AbortSignal.abort(reason) })), reason)
  await t.throwsAsync(limit.use(undefined as never), { code: 'ERR_INVALID_ARG_TYPE' })
  await limit.resize(1)
  await t.throwsAsync(limit.use('f' as never), { code: 'ERR_INVALID_ARG_TYPE' })
  await until('the permit is free', () => freeOf(limit) === 1)
})

onEachEngine()('at most as many functions run at once as the limit has permits', async (t, engine) => {
  const limit = ownLimit(t, 3, { engine })
  const other = Limit.open(limit.name)
  let running = 0
  let most = 0
  const work = async () => {
    running += 1
    most = Math.max(most, running)
    await new Promise(resolve => setTimeout(resolve, 1))
    running -= 1
  }
  await Promise.all(Array.from({ length: 30 }, (_, index) => (index % 2 ? limit : other).use(work)))
  t.is(most, 3)
  await until('the permits are back', () => freeOf(limit) === 3)
})

onEachEngine()('acquireSync blocks until it takes a permit', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = limit.acquireSync()
  t.true(permit instanceof Permit)
  for (const timeout of [0, 1, 20]) {
    t.throws(() => limit.acquireSync({ timeout }), { instanceOf: IpcError, code: 'ETIMEDOUT' })
  }
  permit.release()
  const other = remote(t, 'open', limit.name)
  t.is(await other.call('acquire'), 1)
  other.child.send(['exit', 0])
  // This thread runs nothing until the other process has ended.
  using mine = limit.acquireSync({ timeout: 15_000 })
  t.false(mine.released)
  t.deepEqual(limit.info().holders, [{ pid: process.pid, permits: 1 }])
})

onEachEngine()(
  'a handle that closes in a continuation of its own wait loses no permit',
  async (t, engine) => {
    const limit = ownLimit(t, 2, { engine })
    const held = [limit.tryAcquire(), limit.tryAcquire()]
    const closing = Limit.open(limit.name)
    const permits = Promise.all([
      closing.acquire().then(permit => {
        closing.close()
        return permit
      }),
      closing.acquire(),
    ])
    for (const permit of held) permit?.release()
    for (const permit of await permits) permit.release()
    await until('both are back', () => freeOf(limit) === 2)
    t.pass()
  },
)

onEachEngine()('a released permit goes to the next waiter, not to a later tryAcquire', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  for (let round = 0; round < 50; round++) {
    const permit = await limit.acquire()
    const [second, third] = [limit.acquire(), limit.acquire()]
    // In some rounds a thread already waits in the kernel, in the others it is on its way there.
    if (round % 5 === 0) await sleep(25)
    permit.release()
    t.is(limit.tryAcquire(), null)
    t.is(limit.info().pending, 1)
    ;(await second).release()
    t.is(limit.tryAcquire(), null)
    ;(await third).release()
    // A thread that the processor has not got to yet may hold the permit for more than 20 ms before it gives it back.
    await until('the permit is back', () => freeOf(limit) === 1)
  }
})

onEachEngine()(
  'a timeout, an abort and a close end a wait, and its permit goes to the next',
  async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    const closing = Limit.open(limit.name)
    const held = limit.tryAcquire()
    const controller = new AbortController()
    const ended = [
      t.throwsAsync(limit.acquire({ timeout: 20 }), { code: 'ETIMEDOUT' }),
      t.throwsAsync(limit.acquire({ signal: controller.signal }), { name: 'AbortError' }),
      t.throwsAsync(closing.acquire(), { code: 'ERR_CLOSED' }),
    ]
    const next = limit.acquire()
    t.is(limit.info().pending, 4)
    controller.abort()
    closing.close()
    await Promise.all(ended)
    t.is(limit.info().pending, 1)
    held?.release()
    ;(await next).release()
    await until('the permit is back', () => freeOf(limit) === 1)
  },
)

for (const end of ['abort', 'close'] as const) {
  onEachEngine()(`a permit that is on its way when its wait ends goes back (${end})`, async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    for (let round = 0; round < 20; round++) {
      const held = limit.tryAcquire()
      const other = Limit.open(limit.name)
      const controller = new AbortController()
      const ended = t.throwsAsync(other.acquire({ signal: controller.signal }))
      if (round % 2 === 0) await until('it waits', () => limit.info().waiters === 1)
      held?.release() // delivered but not collected, because this thread does not return to its event loop
      if (end === 'abort') controller.abort()
      other.close()
      await ended
      await until('the permit is back', () => freeOf(limit) === 1)
    }
  })
}

onEachEngine()(
  '2,000 timeouts and aborts that race with releases neither lose nor double a permit',
  async (t, engine) => {
    const limit = ownLimit(t, 3, { engine })
    let granted = 0
    const waits = Array.from({ length: 2_000 }, async (_, i) => {
      await sleep(Math.random() * 200)
      const controller = new AbortController()
      if (i % 2 === 0) setTimeout(() => controller.abort(), Math.random() * 15)
      const permit = await limit
        .acquire(i % 2 === 0 ? { signal: controller.signal } : { timeout: Math.random() * 15 })
        .catch(() => undefined)
      if (permit === undefined) return
      granted += 1
      if (i % 3 === 0) await sleep(1)
      permit.release()
    })
    await Promise.all(waits)
    t.true(granted > 0)
    await until('every permit is free', () => freeOf(limit) === 3)
    t.like(limit.info(), { holders: [], unnamed: 0, pending: 0 })
  },
)

onEachEngine()(
  'a permit outlives the close of its handle, and can be released after it',
  async (t, engine) => {
    const limit = ownLimit(t, 2, { engine })
    const watch = Limit.open(limit.name)
    const permits = [await limit.acquire(), limit.tryAcquire()]
    limit.close()
    t.is(freeOf(watch), 0)
    permits[0]?.release()
    t.is(freeOf(watch), 1)
    permits[1]?.release()
    permits[1]?.release()
    t.is(freeOf(watch), 2)
  },
)

onEachEngine()('a permit of a removed limit is released without an error', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = await limit.acquire()
  limit.unlink()
  t.notThrows(() => permit.release())
  t.true(permit.released)
})

onEachEngine()('a permit of an old limit does not fill the new one of its name', async (t, engine) => {
  const old = ownLimit(t, 1, { engine })
  const permit = await old.acquire()
  old.unlink()
  const made = Limit.create(old.name, { permits: 5, engine })
  t.teardown(() => made.close())
  permit.release()
  t.is(freeOf(made), 5)
})

// ---- when the process ends

for (const [way, end] of [
  ['ends', null],
  ['exits', ['exit', 3]],
] as const) {
  onEachEngine()(`the permits of a process that ${way} come back`, async (t, engine) => {
    const limit = ownLimit(t, 3, { engine })
    const other = remote(t, 'open', limit.name)
    await other.call('acquire')
    await other.call('acquire')
    t.is(freeOf(limit), 1)
    other.child.send(end)
    await other.child.exit
    t.is(freeOf(limit), 3)
  })
}

onEachEngine()('the permits of a killed process come back', async (t, engine) => {
  const limit = ownLimit(t, 3, { engine })
  const other = remote(t, 'open', limit.name)
  await other.call('acquire')
  await other.call('acquireSync')
  t.is(freeOf(limit), 1)
  other.child.kill('SIGKILL')
  await other.child.exit
  t.is(freeOf(limit), 3)
})

requires(linux, ctypes)('a permit that cannot be given back to a full counter stays held', async t => {
  const limit = ownLimit(t, 32_767)
  const permit = await limit.acquire()
  operate(keyOf(limit.name), [[0, 1]])
  t.throws(() => permit.release(), { instanceOf: IpcError, code: 'ERANGE' })
  t.false(permit.released)
  operate(keyOf(limit.name), [[0, -1]])
  permit.release()
  t.true(permit.released)
  t.is(freeOf(limit), 32_767)
})
