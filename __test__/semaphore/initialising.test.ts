// A process dies, races or meddles between the making of a set and its first value: one process makes it, and no unit is lost.

import test, { type ExecutionContext } from 'ava'

import { IpcError, Semaphore } from '../../index.js'
import { onEveryBackend, unitsOf } from './helpers/suite.ts'
import { child, program } from '../shared/child.ts'
import { exists, keyOf, removeNamed, uniqueKey, uniqueName } from '../shared/names.ts'
import { c, go, python } from '../shared/peers.ts'
import { remote } from './helpers/remote.ts'
import { linux, requires, root, tool } from '../shared/requires.ts'
import { ctypes, makeSet, valuesOf } from '../shared/sets.ts'
import { injected } from '../shared/surroundings.ts'
import { until } from '../shared/until.ts'

// ---- the creator dies, or hangs

/** A set whose creator was killed between semget and semop. */
async function leftByDeadCreator(t: ExecutionContext, name: string): Promise<void> {
  const creator = remote(t, 'create', name, { initial: 3 }, { within: [injected('semop:signal=SIGKILL')] })
  t.is((await creator.child.exit).signal, 'SIGKILL')
  t.true(exists('sem', keyOf(name)))
  t.true(valuesOf(keyOf(name)).every(value => value === 0))
}

requires(
  linux,
  ctypes,
  injected(),
)('open gives up on a set whose creator was killed', async t => {
  const name = uniqueName(t)
  await leftByDeadCreator(t, name)
  const start = performance.now()
  const error = t.throws(() => Semaphore.open(name), { instanceOf: IpcError, code: 'ERR_NOT_INITIALISED' })
  t.true(performance.now() - start >= 900, 'open waited for the creator')
  t.true(error.message.includes(name))
  t.is(
    (error as IpcError).hint,
    'create it again, which finishes it, or remove it (`openOrCreate` or `unlink`)',
  )
  t.throws(() => Semaphore.create(name, { initial: 1 }), { code: 'EEXIST' })
})

requires(
  linux,
  ctypes,
  injected(),
)('openOrCreate finishes a set whose creator was killed', async t => {
  const name = uniqueName(t)
  await leftByDeadCreator(t, name)
  using finished = Semaphore.openOrCreate(name, { initial: 5 })
  t.true(finished.created)
  t.like(finished.info(), { value: 5, name, verified: true })
  using next = Semaphore.openOrCreate(name, { initial: 9 })
  t.false(next.created)
  t.is(next.value, 5)
})

requires(
  linux,
  ctypes,
  injected(),
)('unlink removes a set whose creator was killed', async t => {
  const name = uniqueName(t)
  await leftByDeadCreator(t, name)
  t.true(Semaphore.unlink(name))
  t.true(Semaphore.openOrCreate(name, { initial: 1 }).created)
})

requires(linux, ctypes)('open waits for a creator that is slow', async t => {
  const slow = remote(t, 'create', uniqueName(t), { initial: 0 })
  await slow.opened
  const name = uniqueName(t)
  Semaphore.create(name, { initial: 0 })
  const size = valuesOf(keyOf(name)).length
  Semaphore.unlink(name)
  makeSet(keyOf(name), size)
  slow.child.send(['openOrCreate', name, { initial: 2 }])
  using found = openPatiently(t, name) // blocks this thread; the other process runs meanwhile
  t.is(found.value, 2)
  t.true(await slow.child.next())
})

/** Opens a set that another process is about to fill, which may be without a processor for longer than an open waits. */
function openPatiently(t: ExecutionContext, name: string): Semaphore {
  for (let time = 1; ; time += 1) {
    const start = performance.now()
    try {
      return Semaphore.open(name)
    } catch (error) {
      if (time === 20) throw error
      t.is((error as IpcError).code, 'ERR_NOT_INITIALISED')
      t.true(performance.now() - start >= 900, 'open waited for the creator')
    }
  }
}

requires(linux, ctypes, injected()).serial(
  'create throws EEXIST when another process overtakes it',
  async t => {
    const name = uniqueName(t)
    // It stops when its semget has made the set.
    const within = [injected('semget:signal=SIGSTOP:when=1')]
    const slow = remote(t, 'create', name, { initial: 3 }, { within })
    await until('the set is made', () => exists('sem', keyOf(name)))
    using quick = Semaphore.openOrCreate(name, { initial: 2 })
    t.true(quick.created)
    slow.child.kill('SIGCONT')
    t.like(await slow.opened, { code: 'EEXIST' })
    t.is(quick.value, 2)
  },
)

requires(linux, ctypes, injected()).serial(
  'an openOrCreate that another process overtakes opens the set of that process',
  async t => {
    const name = uniqueName(t)
    // It stops when its second semget has made the set that the first one did not find.
    const within = [injected('semget:signal=SIGSTOP:when=2')]
    const slow = remote(t, 'openOrCreate', name, { initial: 3 }, { within })
    await until('the set is made', () => exists('sem', keyOf(name)))
    using quick = Semaphore.openOrCreate(name, { initial: 2 })
    t.true(quick.created)
    slow.child.kill('SIGCONT')
    t.like(await slow.opened, { created: false })
    t.is(quick.value, 2)
  },
)

// ---- races

onEveryBackend(({ backend, test }) => {
  test('exactly one of many processes that open or make a semaphore makes it', async t => {
    const prefix = uniqueName(t)
    const rounds = 60
    for (let round = 0; round < rounds; round++) t.teardown(() => removeNamed(`${prefix}-${round}`))
    const args = [prefix, rounds, { initial: 3, backend }].map(arg => JSON.stringify(arg))
    const rivals = Array.from({ length: 6 }, () => child(t, 'semaphore/race.ts', { args }))
    for (const rival of rivals) t.is(await rival.next(), 'ready')
    const start = Date.now() + 50
    for (const rival of rivals) rival.send(start)
    const made = (await Promise.all(rivals.map(rival => rival.next()))).flat() as number[]
    t.deepEqual(
      made.sort((a, b) => a - b),
      Array.from({ length: rounds }, (_, round) => round),
    )
    for (const round of made) t.is(unitsOf(Semaphore.open(`${prefix}-${round}`, { backend })), 3)
  })

  test('openOrCreate succeeds while other processes unlink the name again and again', async t => {
    const name = uniqueName(t)
    const rivals = Array.from({ length: 3 }, () =>
      child(t, 'semaphore/open-while-unlinked.ts', { args: [name, backend, 1_000] }),
    )
    for (const rival of rivals) t.is(await rival.next(), 'ready')
    for (const rival of rivals) rival.send('go')
    for (const rival of rivals) {
      const { made, troubles } = (await rival.next()) as { made: number; troubles: string[] }
      t.deepEqual(troubles, [])
      t.true(made > 0)
    }
  })
})

requires(linux, ctypes)('units that a peer posts before the first value are not lost', async t => {
  const prefix = uniqueName(t)
  const rounds = 400
  const names = Array.from({ length: rounds }, (_, round) => `${prefix}-${round}`)
  for (const name of names) t.teardown(() => removeNamed(name))
  // A peer posts as soon as the set exists: Go's open and post are these two calls.
  const script = `
import ctypes, struct
libc = ctypes.CDLL(None)
post = struct.pack("Hhh", 0, 1, 0)
print("ready", flush=True)
for key in ${JSON.stringify(names.map(keyOf))}:
    while (found := libc.semget(key, 1, 0)) == -1: pass
    assert libc.semop(found, post, 1) == 0
print("done", flush=True)
`
  const peer = program(t, ['python3', '-c', script])
  t.is(await peer.next(), 'ready')
  const made = child(t, 'semaphore/make.ts', { args: [prefix, rounds, 5] })
  t.is(await made.next(), 'done')
  t.is(await peer.next(), 'done')
  for (const name of names) {
    using semaphore = Semaphore.open(name)
    t.is(semaphore.value, 6)
    semaphore.unlink()
  }
})

// ---- sets of other programs

for (const peer of [go, c, python]) {
  requires(linux, peer)(`a set that ${peer.language} made opens at once, unverified`, async t => {
    for (const initial of [0, 1, 5]) {
      const name = uniqueName(t)
      await peer.run(t, 'sem-sysv', 'create', name, initial)
      using found = Semaphore.open(name)
      t.like(found.info(), { name, value: initial, verified: false })
      using same = Semaphore.openOrCreate(name, { initial: 9 })
      t.false(same.created)
      t.is(same.value, initial)
      same.post()
      t.is(await peer.run(t, 'sem-sysv', 'value', name), String(initial + 1))
      t.throws(() => Semaphore.create(name, { initial: 1 }), { code: 'EEXIST' })
      t.true(Semaphore.unlink(name))
    }
  })
}

requires(linux, ctypes)('a set without a first value opens after a moment', t => {
  for (const size of [1, 2, 40]) {
    const name = uniqueName(t)
    makeSet(keyOf(name), size)
    using found = Semaphore.open(name)
    t.like(found.info(), { value: 0, verified: false })
    found.post()
    using again = Semaphore.open(name)
    t.is(again.value, 1)
  }
})

requires(linux, ctypes)('a set without a first value gets it from exactly one openOrCreate', async t => {
  const name = uniqueName(t)
  makeSet(keyOf(name), 1)
  const first = remote(t, 'openOrCreate', name, { initial: 4 })
  t.like(await first.opened, { created: true, verified: false })
  t.deepEqual(await first.call('warnings'), ['OS_IPC_UNVERIFIED'])
  using second = Semaphore.openOrCreate(name, { initial: 4 })
  t.false(second.created)
  t.is(second.value, 4)
})

requires(linux, ctypes)('the first semaphore of a larger set is the counter', t => {
  const name = uniqueName(t)
  makeSet(keyOf(name), 3, {
    operations: [
      [0, 2],
      [1, 7],
      [2, 9],
    ],
  })
  using semaphore = Semaphore.open(name)
  t.like(semaphore.info(), { value: 2, verified: false })
  semaphore.post()
  t.true(semaphore.tryWait())
  t.true(semaphore.tryWait())
  t.deepEqual(valuesOf(keyOf(name)), [1, 7, 9])
  semaphore.post()
  t.deepEqual(valuesOf(keyOf(name)), [2, 7, 9])
})

requires(linux, ctypes)('a set of PHP opens, and its other semaphores stay unchanged', t => {
  // sem_get() makes three semaphores by a raw key: the counter, the number of users, and a lock for the setup.
  const key = uniqueKey(t)
  makeSet(key, 3, {
    operations: [
      [0, 1],
      [1, 1],
    ],
  })
  using semaphore = Semaphore.openOrCreate(key, { initial: 8 })
  t.false(semaphore.created)
  t.like(semaphore.info(), { value: 1, verified: false, name: undefined })
  t.true(semaphore.tryWait())
  t.false(semaphore.tryWait())
  semaphore.post()
  t.deepEqual(valuesOf(key), [1, 1, 0])
})

requires(
  linux,
  root,
  ctypes,
  tool('unshare', 'util-linux'),
)('a set whose maker is in another PID namespace opens', async t => {
  const name = uniqueName(t)
  makeSet(keyOf(name), 1, { setval: 0 })
  const wrap = (argv: readonly string[]) => ['unshare', '--pid', '--fork', '--kill-child', '--', ...argv]
  const other = remote(t, 'open', name, {}, { within: [{ missing: root.missing, wrap }] })
  t.like(await other.opened, { created: false, verified: false })
  t.is(((await other.call('info')) as { lastPid?: number }).lastPid, undefined)
  t.is(await other.call('post'), 'done')
  using here = Semaphore.open(name)
  t.is(here.value, 1)
})

test('a semaphore that is removed while it is opened is missing for open, and made by openOrCreate', t => {
  const name = uniqueName(t)
  for (let round = 0; round < 50; round++) {
    using semaphore = Semaphore.openOrCreate(name, { initial: 1 })
    t.true(semaphore.created)
    t.true(Semaphore.unlink(name))
    t.throws(() => Semaphore.open(name), { code: 'ENOENT' })
  }
})
