// Semaphores, on every backend: made, found, counted, closed, removed.

import { setTimeout as sleep } from 'node:timers/promises'

import test from 'ava'

import { capabilities, IpcError, Semaphore } from '../../index.js'
import { onEveryBackend, unitsOf } from './helpers/suite.ts'
import { exists, keyOf, uniqueKey, uniqueName } from '../shared/names.ts'
import { remote } from './helpers/remote.ts'
import { until } from '../shared/until.ts'
import { linux, requires } from '../shared/requires.ts'

onEveryBackend(({ backend, test, create, open, openOrCreate }) => {
  const unlinkWakes = capabilities.unlinkWakes[backend]

  // ---- create, open, openOrCreate

  test('create makes a semaphore with its initial value', t => {
    const semaphore = create(t, 3)
    t.is(semaphore.backend, backend)
    t.true(semaphore.created)
    t.is(unitsOf(semaphore), 3)
  })

  test('create refuses a name that is taken, and leaves the value alone', t => {
    const { name } = create(t, 2)
    t.throws(() => Semaphore.create(name, { initial: 9, backend }), { instanceOf: IpcError, code: 'EEXIST' })
    t.is(unitsOf(open(t, name)), 2)
  })

  test('open refuses a name that does not exist', t => {
    t.throws(() => open(t, uniqueName(t)), { instanceOf: IpcError, code: 'ENOENT' })
  })

  test('open finds what another handle made', t => {
    const made = create(t, 1)
    const found = open(t, made.name)
    t.false(found.created)
    t.is(found.name, made.name)
    t.is(found.backend, backend)
    made.post()
    t.is(unitsOf(found), 2)
  })

  test('openOrCreate makes a missing semaphore', t => {
    const made = openOrCreate(t, uniqueName(t), { initial: 4 })
    t.true(made.created)
    t.is(unitsOf(made), 4)
  })

  test('openOrCreate opens an existing semaphore and ignores the initial value', t => {
    const { name } = create(t, 1)
    for (const initial of [0, 1, 7]) {
      const found = openOrCreate(t, name, { initial })
      t.false(found.created)
      t.is(unitsOf(found), 1)
    }
  })

  test('openOrCreate keeps a counter that was taken down to 0', t => {
    const made = create(t, 1)
    t.true(made.tryWait())
    t.false(openOrCreate(t, made.name, { initial: 1 }).tryWait())
  })

  for (const initial of [0, 1, 32_767]) {
    test(`a semaphore with an initial value of ${initial} has that value`, t => {
      t.is(unitsOf(create(t, initial)), initial)
    })
  }

  test('a name without a backend opens the default backend only', t => {
    const name = uniqueName(t)
    const made = create(t, 0)
    if (backend === capabilities.defaultBackend) t.is(Semaphore.open(made.name).backend, backend)
    else t.throws(() => Semaphore.open(made.name), { code: 'ENOENT' })
    t.throws(() => Semaphore.open(name), { code: 'ENOENT' })
  })

  // ---- names

  test('a missing slash is added', t => {
    const name = uniqueName(t)
    const plain = Semaphore.create(name.slice(1), { initial: 1, backend })
    t.teardown(() => plain.close())
    t.is(plain.name, name)
    const slashed = open(t, name)
    plain.post()
    t.is(unitsOf(slashed), 2)
    t.throws(() => Semaphore.create(name, { initial: 1, backend }), { code: 'EEXIST' })
    t.true(Semaphore.unlink(name.slice(1), { backend }))
  })

  test('a name may be any text: spaces, points, characters of any script', t => {
    for (const suffix of [' a b', '.x', '-é', '-日本', '-🦀', '%s\n']) {
      const name = uniqueName(t, suffix)
      if (process.platform === 'darwin' && Buffer.byteLength(name) > 30) continue
      const made = openOrCreate(t, name, { initial: 1 })
      t.is(made.name, name)
      t.is(unitsOf(open(t, name)), 1)
    }
  })

  if (process.platform !== 'darwin') {
    test('a name may have 250 bytes after its slash', t => {
      const name = uniqueName(t)
      for (const long of [name.padEnd(251, 'x'), `${name}${'é'.repeat((251 - name.length) >> 1)}`]) {
        const made = openOrCreate(t, long, { initial: 2 })
        t.teardown(() => Semaphore.unlink(long, { backend }))
        t.true(made.created)
        t.is(open(t, long).name, long)
      }
    })
  }

  // ---- post, tryWait, wait

  test('post adds one unit, or as many as it is given', t => {
    const semaphore = create(t, 0)
    semaphore.post()
    t.is(unitsOf(semaphore), 1)
    semaphore.post(5)
    t.is(unitsOf(semaphore), 6)
    semaphore.post(undefined)
    t.is(unitsOf(semaphore), 7)
  })

  test('tryWait takes a free unit, and returns false when none is free', t => {
    const semaphore = create(t, 2)
    t.deepEqual(
      [1, 2, 3].map(() => semaphore.tryWait()),
      [true, true, false],
    )
    semaphore.post()
    t.true(semaphore.tryWait())
  })

  test('wait takes a free unit', async t => {
    const semaphore = create(t, 2)
    t.is(await semaphore.wait(), undefined)
    await semaphore.wait({})
    t.is(unitsOf(semaphore), 0)
  })

  test('wait blocks until this handle posts', async t => {
    const semaphore = create(t, 0)
    const settled: string[] = []
    const wait = semaphore.wait().then(() => settled.push('wait'))
    await sleep(30)
    t.deepEqual(settled, [])
    semaphore.post()
    await wait
    t.is(unitsOf(semaphore), 0)
  })

  test('wait blocks until another handle posts', async t => {
    const semaphore = create(t, 0)
    const wait = semaphore.wait({ timeout: 15_000 })
    open(t, semaphore.name).post()
    await t.notThrowsAsync(wait)
    t.is(unitsOf(semaphore), 0)
  })

  test('every wait gets its unit, the oldest first', async t => {
    const semaphore = create(t, 0)
    const order: number[] = []
    const waits = [0, 1, 2, 3, 4].map(index => semaphore.wait().then(() => order.push(index)))
    for (const _ of waits) semaphore.post()
    await Promise.all(waits)
    t.deepEqual(order, [0, 1, 2, 3, 4])
    t.is(unitsOf(semaphore), 0)
  })

  test('waitSync takes a free unit', t => {
    const semaphore = create(t, 1)
    semaphore.waitSync()
    t.is(unitsOf(semaphore), 0)
    t.throws(() => semaphore.waitSync({ timeout: 20 }), { instanceOf: IpcError, code: 'ETIMEDOUT' })
    t.throws(() => semaphore.waitSync({ timeout: 0 }), { code: 'ETIMEDOUT' })
    t.is(unitsOf(semaphore), 0)
  })

  // ---- with another process

  test('a post of another process ends a wait here, and a post here ends a wait there', async t => {
    const semaphore = create(t, 0)
    const other = remote(t, 'open', semaphore.name, { backend })
    t.like(await other.opened, { created: false, name: semaphore.name })

    const wait = semaphore.wait({ timeout: 15_000 })
    t.is(await other.call('post'), 'done')
    await wait

    const there = other.call('wait', { timeout: 15_000 })
    semaphore.post()
    t.is(await there, 'done')

    const blocked = other.call('waitSync', { timeout: 15_000 })
    semaphore.post()
    t.is(await blocked, 'done')
    t.is(unitsOf(semaphore), 0)
  })

  test('another process sees the same counter and the same name', async t => {
    const semaphore = create(t, 3)
    const other = remote(t, 'openOrCreate', semaphore.name, { backend, initial: 8 })
    t.like(await other.opened, { created: false })
    t.is(await other.call('tryWait'), true)
    t.is(unitsOf(semaphore), 2)
    if (capabilities.value[backend]) t.is(await other.call('value'), 2)
  })

  test('a semaphore outlives the process that made it', async t => {
    const name = uniqueName(t)
    const other = remote(t, 'create', name, { backend, initial: 2 })
    t.like(await other.opened, { created: true })
    other.child.send(null)
    t.like(await other.child.exit, { code: 0, stderr: '' })
    t.is(unitsOf(open(t, name)), 2)
  })

  // ---- close

  test('close can be called again', t => {
    const semaphore = create(t, 1)
    // On Windows a semaphore ends with its last open handle.
    const other = open(t, semaphore.name)
    semaphore.close()
    semaphore.close()
    semaphore[Symbol.dispose]()
    t.is(unitsOf(open(t, semaphore.name)), 1)
    other.close()
  })

  test('unlink removes a semaphore once, before or after close', async t => {
    for (const order of ['unlink close unlink', 'close unlink unlink', 'close close unlink close unlink']) {
      const semaphore = create(t, 1)
      for (const call of order.split(' ')) semaphore[call as 'close' | 'unlink']()
      t.throws(() => open(t, semaphore.name), { code: 'ENOENT' }, order)
      // A newer semaphore of the same name stays.
      const another = Semaphore.create(semaphore.name, { initial: 3, backend })
      semaphore.unlink()
      t.is(unitsOf(open(t, semaphore.name)), 3, order)
      another.close()
      another.unlink()
      t.false(Semaphore.unlink(semaphore.name, { backend }), order)
    }
  })

  test('a closed handle refuses every call but close and unlink', async t => {
    const semaphore = create(t, 5)
    const other = open(t, semaphore.name)
    semaphore.close()
    const closed = { instanceOf: IpcError, code: 'ERR_CLOSED' }
    for (const use of [
      () => semaphore.value,
      () => semaphore.post(),
      () => semaphore.post(2),
      () => semaphore.tryWait(),
      () => semaphore.waitSync(),
      () => semaphore.waitSync({ timeout: 0 }),
      () => semaphore.info(),
      () => semaphore.ref(),
      () => semaphore.unref(),
    ]) {
      t.throws(use, closed, String(use))
    }
    for (const use of [() => semaphore.wait(), () => semaphore.wait({ timeout: 0 })]) {
      await t.throwsAsync(use, closed, String(use))
    }
    t.is(semaphore.backend, backend)
    t.is(unitsOf(open(t, semaphore.name)), 5)
    other.close()
  })

  test('close ends the waits of its handle, and of no other handle', async t => {
    const semaphore = create(t, 0)
    const other = open(t, semaphore.name)
    const ended = [semaphore.wait(), semaphore.wait(), semaphore.wait({ timeout: 60_000 })]
    const goesOn = other.wait({ timeout: 15_000 })
    semaphore.close()
    for (const wait of ended) await t.throwsAsync(wait, { code: 'ERR_CLOSED' })
    other.post()
    await goesOn
    t.is(unitsOf(other), 0)
  })

  test('using closes at the end of the block', t => {
    let outside: Semaphore
    {
      using semaphore = create(t, 1)
      outside = semaphore
      t.true(outside.tryWait())
    }
    t.throws(() => outside.tryWait(), { code: 'ERR_CLOSED' })
  })

  test('a closed handle does not reach a newer handle that reuses its slot', t => {
    const first = create(t, 1)
    first.close()
    const second = create(t, 1)
    t.throws(() => first.post(), { code: 'ERR_CLOSED' })
    first.close()
    t.is(unitsOf(second), 1)
  })

  // ---- unlink

  test('unlink by name returns whether the semaphore existed', t => {
    const { name } = create(t, 1)
    t.true(Semaphore.unlink(name, { backend }))
    t.false(Semaphore.unlink(name, { backend }))
    t.throws(() => open(t, name), { code: 'ENOENT' })
    t.true(openOrCreate(t, name, { initial: 6 }).created)
  })

  test('unlink of a handle can be called again', t => {
    const semaphore = create(t, 1)
    semaphore.unlink()
    semaphore.unlink()
    t.throws(() => open(t, semaphore.name), { code: 'ENOENT' })
  })

  test('unlink of a handle does nothing when another process has already removed the semaphore', t => {
    const semaphore = create(t, 1)
    Semaphore.unlink(semaphore.name, { backend })
    t.notThrows(() => semaphore.unlink())
  })

  test('unlink of an old handle leaves the new semaphore of its name alone', t => {
    const old = create(t, 1)
    const other = open(t, old.name)
    other.unlink()
    const made = openOrCreate(t, old.name, { initial: 9 })
    t.true(made.created)
    old.unlink()
    t.is(unitsOf(open(t, old.name)), 9)
  })

  test('old handles never reach the new semaphore of their name', t => {
    const old = create(t, 1)
    old.unlink()
    const made = openOrCreate(t, old.name, { initial: 9 })
    if (unlinkWakes) t.throws(() => old.post(), { code: 'EIDRM' })
    else old.post()
    t.is(unitsOf(made), 9)
  })

  test(
    unlinkWakes
      ? 'unlink ends every wait, and every later call fails'
      : 'unlink removes only the name: open handles keep working',
    async t => {
      const semaphore = create(t, 0)
      const here = open(t, semaphore.name)
      const other = remote(t, 'open', semaphore.name, { backend })
      await other.opened
      const there = other.call('wait', { timeout: 15_000 })
      const waits = [here.wait(), here.wait(), here.wait({ timeout: 15_000 }), semaphore.wait()]
      if (capabilities.platform.startsWith('linux'))
        await until('all wait', () => (here.info().waiters ?? 0) >= 2)
      Semaphore.unlink(semaphore.name, { backend })
      if (unlinkWakes) {
        for (const wait of waits) await t.throwsAsync(wait, { instanceOf: IpcError, code: 'EIDRM' })
        t.like(await there, { error: 'IpcError', code: 'EIDRM' })
        for (const use of [
          () => here.value,
          () => here.post(),
          () => here.tryWait(),
          () => here.waitSync(),
          () => here.info(),
        ]) {
          const error = t.throws(use, { instanceOf: IpcError, code: 'EIDRM' }, String(use))
          const hint = backend === 'sysv' ? /RemoveIPC/ : /removed: open it again/
          t.regex((error as IpcError).hint ?? '', hint)
        }
        await t.throwsAsync(here.wait(), { code: 'EIDRM' })
        t.notThrows(() => here.unlink())
      } else {
        semaphore.post(5)
        await Promise.all(waits)
        t.is(await there, 'done')
        here.post()
        t.is(unitsOf(semaphore), 1)
      }
    },
  )
})

// ---- limits

onEveryBackend(({ backend, test, create }) => {
  const limit = backend === 'posix' && process.platform === 'linux' ? 2 ** 31 - 1 : 32_767

  test('post past the limit is an error, and adds nothing', t => {
    const semaphore = create(t, 32_767)
    if (limit === 32_767) {
      for (const count of [1, 2, 32_767]) {
        t.throws(() => semaphore.post(count), {
          instanceOf: IpcError,
          code: backend === 'sysv' ? 'ERANGE' : 'EOVERFLOW',
        })
      }
      t.is(unitsOf(semaphore), 32_767)
      semaphore.tryWait()
      t.throws(() => semaphore.post(2), { code: backend === 'sysv' ? 'ERANGE' : 'EOVERFLOW' })
      semaphore.post()
    } else {
      semaphore.post(32_767)
      t.is(semaphore.value, 65_534)
    }
  })
})

// ---- raw keys

requires(linux)('a number is a raw System V key', t => {
  const key = uniqueKey(t)
  t.throws(() => Semaphore.open(key), { code: 'ENOENT' })
  using made = Semaphore.create(key, { initial: 2 })
  t.is(made.name, undefined)
  t.is(made.backend, 'sysv')
  t.true(exists('sem', key))
  const hex = `0x${(key >>> 0).toString(16).padStart(8, '0')}`
  t.throws(() => Semaphore.create(key, { initial: 2 }), {
    code: 'EEXIST',
    message: `EEXIST: cannot create the semaphore, semget ${hex}`,
  })
  using found = Semaphore.openOrCreate(key, { initial: 5, backend: 'sysv' })
  t.false(found.created)
  t.is(found.value, 2)
  t.is(found.info().key, key)
  t.true(Semaphore.unlink(key))
  t.false(Semaphore.unlink(key))
})

requires(linux)('a key may be written as C prints it: unsigned', t => {
  const key = -Math.abs(uniqueKey(t))
  t.teardown(() => Semaphore.unlink(key))
  using made = Semaphore.create(key, { initial: 1 })
  using same = Semaphore.open(key >>> 0)
  made.post()
  t.is(same.value, 2)
  t.is(same.info().key, key)
})

requires(linux)('a name and its raw key are the same set', t => {
  const name = uniqueName(t)
  using made = Semaphore.create(name, { initial: 1 })
  using found = Semaphore.open(keyOf(name))
  found.post()
  t.is(made.value, 2)
  t.is(found.info().name, name)
})

requires(linux)('a set that was made for a raw key opens by name, unverified', t => {
  const name = uniqueName(t)
  using made = Semaphore.create(keyOf(name), { initial: 1 })
  using found = Semaphore.open(name)
  t.is(found.value, made.value)
  t.false(found.info().verified)
  t.true(made.info().verified)
})

test('a semaphore is made only by create, open and openOrCreate', t => {
  const construct = Semaphore as unknown as new () => Semaphore
  t.throws(() => new construct(), { instanceOf: TypeError, code: 'ERR_ILLEGAL_CONSTRUCTOR' })
})
