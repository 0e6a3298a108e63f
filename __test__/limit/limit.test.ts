// Limits: made, opened, recorded, closed, removed.

import { existsSync } from 'node:fs'
import { setImmediate as turn } from 'node:timers/promises'

import test, { type ExecutionContext } from 'ava'

import { capabilities, IpcError, Limit, list, Semaphore } from '../../index.js'
import { child } from '../shared/child.ts'
import type { Engine } from '../shared/engines.ts'
import { exists, keyOf, ledgerOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { onEachEngine } from '../shared/on-each-engine.ts'
import { asUser } from '../shared/surroundings.ts'
import { requires, systemV } from '../shared/requires.ts'
import { freeOf, ownLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'

test('capabilities list the engines of limits', t => {
  const engines = process.platform === 'win32' ? ['ledger'] : ['sysv', 'ledger']
  t.deepEqual(capabilities.limits, { engines, default: engines[0], crashRecovery: true })
})

/** Whether an engine has something of this name. */
function isThere(engine: Engine, name: string): boolean {
  if (process.platform === 'win32') return list().limits.some(limit => limit.name === name)
  return engine === 'sysv' ? exists('sem', keyOf(name)) : existsSync(ledgerOf(name))
}

onEachEngine()('create makes a limit, open finds it, and openOrCreate does either', (t, engine) => {
  const name = uniqueName(t)
  t.throws(() => Limit.open(name), { instanceOf: IpcError, code: 'ENOENT' })
  const made = Limit.create(name, { permits: 3, engine })
  t.like(made, { name, engine, created: true, permits: 3 })
  t.throws(() => Limit.create(name, { permits: 3 }), { instanceOf: IpcError, code: 'EEXIST' })
  const opened = Limit.open(name)
  t.like(opened, { created: false, permits: 3 })
  const found = Limit.openOrCreate(name.slice(1), { permits: 3 })
  t.like(found, { name, created: false, permits: 3 })
  opened.close()
  found.close()
  // On Windows the last handle takes the limit with it.
  if (capabilities.persistent) made.close()
  t.true(Limit.unlink(name))
  t.false(Limit.unlink(name))
  using again = Limit.openOrCreate(name, { permits: 5, engine })
  t.like(again, { engine, created: true, permits: 5 })
  t.true(isThere(engine, name))
})

requires(systemV)('a raw key has no name', t => {
  const key = uniqueKey(t)
  using limit = Limit.create(key, { permits: 2 })
  t.is(limit.name, undefined)
  t.like(limit.info(), { key, name: undefined, permits: 2, free: 2, verified: true })
  using same = Limit.open(key)
  t.is(same.permits, 2)
  t.throws(() => Limit.open(0), { code: 'ERR_RESERVED_KEY' })
  t.is(list().limits.filter(info => info.key === key).length, 1)
})

onEachEngine()('info shows what is known about a limit', (t, engine) => {
  const before = Math.floor((Date.now() - 100) / 1000) * 1000
  const limit = ownLimit(t, 3, { mode: 0o640, engine })
  const info = limit.info()
  t.like(info, {
    engine,
    name: limit.name,
    key: engine === 'sysv' ? keyOf(limit.name) : undefined,
    permits: 3,
    free: 3,
    holders: [],
    unnamed: 0,
    waiters: 0,
    pending: 0,
    lastPid: engine === 'sysv' ? process.pid : undefined,
    uid: process.getuid?.(),
    gid: process.getgid?.(),
    mode: 0o640,
    verified: true,
  })
  t.true(Number(info.changedAt) >= before)
  if (engine === 'sysv') t.true(Number(info.operatedAt) >= before)
  t.deepEqual(
    list().limits.filter(({ name }) => name === limit.name),
    [info],
  )
  t.false(list().semaphores.some(({ key }) => key === keyOf(limit.name)))
})

// ---- the recorded number

const run = (t: ExecutionContext, source: string) => child(t, 'limit/warn.ts', { args: [source] })

onEachEngine()(
  'openOrCreate with another number keeps the number that is recorded, and warns once per process and name',
  async (t, engine) => {
    const [one, two] = [ownLimit(t, 2, { engine }), ownLimit(t, 3, { engine })]
    const process = run(t, JSON.stringify([one.name, two.name]))
    const warnings = (await process.next()) as { code: string; message: string; detail: string }[]
    t.is(warnings.length, 2)
    for (const [index, { name }] of [one, two].entries()) {
      t.like(warnings[index], {
        code: 'OS_IPC_PERMITS_DIFFER',
        message: `the limit '${name}' has ${index + 2} permits and keeps them: openOrCreate asked for 8`,
        detail: 'resize(8) changes it for all processes.',
      })
    }
    t.deepEqual([one.permits, two.permits], [2, 3])
  },
)

onEachEngine()('permits reads the current record, whichever process changes it', async (t, engine) => {
  const limit = ownLimit(t, 2, { engine })
  const other = remote(t, 'open', limit.name)
  t.is(await other.call('permits'), 2)
  await limit.resize(7)
  t.is(await other.call('permits'), 7)
  t.is(await other.call('resize', 4), 'done')
  t.is(limit.permits, 4)
})

// ---- a semaphore is not a limit

onEachEngine()(
  'a limit does not open as a semaphore, nor a semaphore as a limit, in any process',
  async (t, engine) => {
    const limit = ownLimit(t, 2, { engine })
    const semaphoreName = uniqueName(t)
    using semaphore = Semaphore.create(semaphoreName, { initial: 2 })
    for (const use of [
      () => Semaphore.create(limit.name, { initial: 1 }),
      () => Semaphore.open(limit.name),
      () => Semaphore.openOrCreate(limit.name, { initial: 1 }),
      () => Semaphore.unlink(limit.name),
      ...(engine === 'sysv' ? [() => Semaphore.open(keyOf(limit.name))] : []),
    ]) {
      const error = t.throws(use, { instanceOf: IpcError, code: 'ERR_WRONG_KIND' }, String(use)) as IpcError
      t.regex(error.hint ?? '', /`Limit\.open` or `Limit\.unlink`/)
    }
    for (const use of [
      () => Limit.create(semaphoreName, { permits: 1, engine }),
      () => Limit.open(semaphoreName),
      () => Limit.openOrCreate(semaphoreName, { permits: 1 }),
      () => Limit.unlink(semaphoreName),
      ...(systemV.missing === undefined ? [() => Limit.open(keyOf(semaphoreName))] : []),
    ]) {
      const error = t.throws(use, { instanceOf: IpcError, code: 'ERR_WRONG_KIND' }, String(use)) as IpcError
      t.regex(error.hint ?? '', /`Semaphore\.open` or `Semaphore\.unlink`/)
    }
    const other = remote(t, 'openOrCreate', semaphoreName, { permits: 1 })
    t.like(await other.opened, { code: 'ERR_WRONG_KIND' })
    t.is(semaphore.value, 2)
    t.is(freeOf(limit), 2)
  },
)

test('the methods of a limit, called on a semaphore, throw an error that names Limit', t => {
  using semaphore = Semaphore.create(uniqueName(t), { initial: 1 })
  for (const word of ['acquire', 'tryAcquire', 'acquireSync', 'use']) {
    const call = () => (semaphore as unknown as Record<string, () => void>)[word]?.()
    t.throws(call, { instanceOf: TypeError, code: 'ERR_WRONG_KIND', message: /Limit\.openOrCreate/ }, word)
  }
  t.is(semaphore.value, 1)
  t.deepEqual(Object.keys(semaphore).sort(), ['backend', 'created', 'name'])
})

onEachEngine()('a limit has none of the methods of a semaphore', (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  for (const word of ['post', 'wait', 'tryWait', 'waitSync', 'value']) t.false(word in limit, word)
})

requires(systemV)('a second name with the same key is refused', t => {
  const [first, second] = ['/limit.5pf8', '/limit.mrj6']
  Limit.unlink(first)
  t.teardown(() => Limit.unlink(first))
  using limit = Limit.create(first, { permits: 1 })
  for (const use of [() => Limit.open(second), () => Limit.unlink(second), () => Semaphore.open(second)]) {
    t.throws(use, { code: 'ERR_NAME_COLLISION' }, String(use))
  }
  t.is(freeOf(limit), 1)
})

// ---- close and unlink

onEachEngine()('a closed handle refuses every call but close and unlink', async (t, engine) => {
  const limit = ownLimit(t, 5, { engine })
  // On Windows the limit ends with its last handle.
  using another = Limit.open(limit.name)
  limit.close()
  limit.close()
  const closed = { instanceOf: IpcError, code: 'ERR_CLOSED', message: `the limit '${limit.name}' is closed` }
  for (const use of [
    () => limit.permits,
    () => limit.tryAcquire(),
    () => limit.acquireSync(),
    () => limit.acquireSync({ timeout: 0 }),
    () => limit.info(),
    () => limit.ref(),
    () => limit.unref(),
  ]) {
    t.throws(use, closed, String(use))
  }
  for (const use of [
    () => limit.acquire(),
    () => limit.acquire({ timeout: 0 }),
    () => limit.use(() => t.fail('it ran')),
    () => limit.resize(5),
    () => limit.resize(1),
  ]) {
    await t.throwsAsync(use, closed, String(use))
  }
  t.like(limit, { name: limit.name, engine, created: true })
  t.is(Limit.open(limit.name).permits, another.permits)
  t.is(another.permits, 5)
})

onEachEngine()('close and unlink work in any order, with permits held', async (t, engine) => {
  for (const order of ['close unlink', 'unlink close', 'unlink unlink close close unlink']) {
    const limit = ownLimit(t, 1, { engine })
    const permit = limit.tryAcquire()
    for (const call of order.split(' ')) limit[call as 'close' | 'unlink']()
    t.false(isThere(engine, limit.name), order)
    const another = Limit.create(limit.name, { permits: 3, engine })
    limit.unlink()
    permit?.release()
    t.is(freeOf(another), 3, order)
    another.unlink()
  }
})

onEachEngine()('unlink ends every wait, and every later call fails', async (t, engine) => {
  const limit = ownLimit(t, 1, { engine })
  const here = Limit.open(limit.name)
  const other = remote(t, 'open', limit.name)
  await other.opened
  const permit = limit.tryAcquire()
  const there = other.call('acquire', { timeout: 15_000 })
  const waits = [here.acquire(), here.resize(0), limit.acquire({ timeout: 15_000 })]
  t.is(limit.info().pending, 3)
  while (limit.info().waiters < 2) await turn()
  Limit.unlink(limit.name)
  for (const wait of waits) await t.throwsAsync(wait, { instanceOf: IpcError, code: 'EIDRM' })
  t.like(await there, { error: 'IpcError', code: 'EIDRM' })
  for (const use of [
    () => here.permits,
    () => here.tryAcquire(),
    () => here.acquireSync(),
    () => here.info(),
  ]) {
    const error = t.throws(use, { instanceOf: IpcError, code: 'EIDRM' }, String(use)) as IpcError
    t.regex(error.hint ?? '', engine === 'sysv' ? /RemoveIPC/ : /removed: open it again/)
  }
  await t.throwsAsync(here.acquire(), { code: 'EIDRM' })
  await t.throwsAsync(here.resize(3), { code: 'EIDRM' })
  t.notThrows(() => permit?.release())
  here.unlink()
})

// ---- owners

onEachEngine(asUser(65_534))(
  'a limit that the mode closes to this user is EACCES, and the limit of another user is refused',
  async (t, engine) => {
    const limit = ownLimit(t, 1, { engine })
    const other = remote(t, 'openOrCreate', limit.name, { permits: 1 }, { within: [asUser(65_534)] })
    const refused = (await other.opened) as { hint: string; message: string }
    t.like(refused, { code: 'EACCES', uid: 0, mode: 0o600 })
    const call = engine === 'sysv' ? 'semget' : 'open'
    t.is(refused.message, `EACCES: no permission to read and change the limit, ${call} '${limit.name}'`)
    const remover = child(t, 'limit/unlink.ts', { args: [limit.name], within: [asUser(65_534)] })
    const kept = (await remover.next()) as { hint: string }
    t.like(kept, { code: 'EPERM', uid: 0, mode: 0o600 })
    t.regex(kept.hint, /only its owner and root may remove it/)
    const shared = ownLimit(t, 2, { mode: 0o666, engine })
    const guest = remote(t, 'open', shared.name, {}, { within: [asUser(65_534)] })
    t.is(await guest.call('acquire'), 1)
    t.is(await guest.call('resize', 5), 'done')
    t.like(shared.info(), { permits: 5, free: 4, holders: [{ pid: guest.child.pid, permits: 1 }] })
    guest.child.kill('SIGKILL')
    await guest.child.exit
    t.is(freeOf(shared), 5)
    const name = uniqueName(t)
    const stranger = remote(
      t,
      'create',
      name,
      { permits: 1, mode: 0o666, engine },
      { within: [asUser(65_534)] },
    )
    t.like(await stranger.opened, { created: true })
    t.throws(() => Limit.open(name), {
      code: 'ERR_FOREIGN_OWNER',
      message: /the limit '.*' belongs to uid 65534/,
    })
    Limit.open(name, { owner: 65_534 }).close()
    Limit.openOrCreate(name, { permits: 1, owner: 'any' }).close()
  },
)
