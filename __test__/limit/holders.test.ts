// The holders that info() and errors name.

import { IpcError, Limit } from '../../index.js'
import { child } from '../shared/child.ts'
import { copyOfPackage } from '../shared/copies.ts'
import { root, requires, systemV, tool } from '../shared/requires.ts'
import { keyOf } from '../shared/names.ts'
import { valuesOf } from '../shared/sets.ts'
import { until } from '../shared/until.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { remote } from './helpers/remote.ts'

onEachEngine()('info names the processes that hold permits, with the number of each', async (t, engine) => {
  const limit = ownLimit(t, 6, { engine })
  const others = [remote(t, 'open', limit.name), remote(t, 'open', limit.name)]
  const [one, two] = others as [(typeof others)[0], (typeof others)[0]]
  await one.call('acquire')
  await two.call('acquireSync')
  await two.call('tryAcquire')
  using own = limit.acquireSync()
  const holders = [
    { pid: process.pid, permits: 1 },
    { pid: one.child.pid, permits: 1 },
    { pid: two.child.pid, permits: 2 },
  ].sort((a, b) => a.pid - b.pid)
  t.like(limit.info(), { free: 2, holders, unnamed: 0 })
  await two.call('release')
  one.child.kill('SIGKILL')
  await one.child.exit
  own.release()
  t.like(limit.info(), { free: 5, holders: [{ pid: two.child.pid, permits: 1 }], unnamed: 0 })
})

onEachEngine()('a process that only waits holds nothing', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const permit = limit.tryAcquire()
  const other = remote(t, 'open', limit.name)
  const waiting = other.call('acquire', { timeout: 15_000 })
  await until('it waits', () => limit.info().waiters === 1)
  t.deepEqual(limit.info().holders, [{ pid: process.pid, permits: 1 }])
  permit?.release()
  t.is(await waiting, 1)
  t.deepEqual(limit.info().holders, [{ pid: other.child.pid, permits: 1 }])
})

onEachEngine()('an ETIMEDOUT names the holders', async (t, engine) => {
  const limit = ownLimit(t, 3, { engine })
  const other = remote(t, 'open', limit.name)
  await other.call('acquire')
  await other.call('acquire')
  const own = limit.tryAcquire()
  const holders = limit.info().holders
  for (const wait of [
    () => limit.acquire({ timeout: 0 }),
    () => limit.acquire({ timeout: 5 }),
    () => limit.use(() => t.fail('it ran'), { timeout: 5 }),
    async () => limit.acquireSync({ timeout: 0 }),
    async () => limit.acquireSync({ timeout: 5 }),
  ]) {
    const error = (await t.throwsAsync(wait, { instanceOf: IpcError, code: 'ETIMEDOUT' })) as IpcError
    t.is(error.message, `no permit of the limit '${limit.name}' came in time`)
    t.deepEqual(error.holders, holders)
    t.regex(error.hint ?? '', new RegExp(`^of its 3 permits, .*process ${other.child.pid} holds 2`))
    t.regex(error.hint ?? '', new RegExp(`process ${process.pid} holds 1`))
  }
  own?.release()
})

requires(systemV)('info names up to 64 processes and counts the others', async t => {
  const limit = ownLimit(t, 200)
  const holders = child(t, 'limit/many-holders.ts', { args: [limit.name, 70] })
  const pids = (await holders.next()) as number[]
  const info = limit.info()
  t.is(info.free, 130)
  t.is(info.holders?.length, 64)
  t.is(info.unnamed, 6)
  t.true(info.holders?.every(({ pid, permits }) => pids.includes(pid) && permits === 1))
  const error = await t.throwsAsync(limit.resize(0, { timeout: 5 }), { code: 'ETIMEDOUT' })
  t.regex((error as IpcError).hint ?? '', /process \d+ holds 1, other processes hold 62$/)
  holders.kill('SIGKILL')
  await holders.exit
  await until('all are back', () => freeOf(limit) === limit.permits)
  t.like(limit.info(), { holders: [], unnamed: 0 })
})

onEachEngine()(
  'two handles of a process, and two copies of the package, are one holder',
  async (t, engine) => {
    const limit = ownLimit(t, 4, { engine })
    const copies = child(t, 'limit/two-copies.ts', { args: [limit.name, copyOfPackage(t, 'own')] })
    t.is(await copies.next(), 'held')
    t.like(limit.info(), { free: 0, holders: [{ pid: copies.pid, permits: 4 }], unnamed: 0 })
    copies.send('release one')
    t.is(await copies.next(), 'released')
    t.like(limit.info(), { free: 1, holders: [{ pid: copies.pid, permits: 3 }], unnamed: 0 })
    copies.kill('SIGKILL')
    await copies.exit
    t.is(freeOf(limit), 4)
  },
)

requires(root, tool('unshare', 'util-linux'))(
  'a holder in an outer PID namespace is counted without a name',
  async t => {
    const limit = ownLimit(t, 2)
    const wrap = (argv: readonly string[]) => ['unshare', '--pid', '--fork', '--kill-child', '--', ...argv]
    const other = remote(t, 'open', limit.name, {}, { within: [{ missing: root.missing, wrap }] })
    using own = limit.acquireSync()
    t.is(await other.call('acquire'), 1)
    const there = { pid: await other.call('pid'), permits: 1 }
    t.like(await other.call('info'), { free: 0, holders: [there], unnamed: 1 })
    // Ours is the outer namespace, which has a pid for everybody.
    t.false(own.released)
    t.like(limit.info(), { free: 0, unnamed: 0 })
    t.is(limit.info().holders?.length, 2)
  },
)

requires(systemV)('the set has a word for each holder', async t => {
  const limit = ownLimit(t, 3)
  const permits = [limit.tryAcquire(), limit.tryAcquire()]
  const values = valuesOf(keyOf(limit.name))
  t.is(values.length, 202)
  t.deepEqual([values[0], values[1], values[2], values[137]], [1, 0x4f02, limit.name.length, 3])
  t.deepEqual(
    values.slice(138).filter(value => value !== 0),
    [0x2000 + 2],
  )
  for (const permit of permits) permit?.release()
  t.true(
    valuesOf(keyOf(limit.name))
      .slice(138)
      .every(value => value === 0),
  )
  limit.unlink()
  t.throws(() => Limit.open(limit.name), { code: 'ENOENT' })
})
