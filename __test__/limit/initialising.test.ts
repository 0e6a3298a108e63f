// Between the making of a set and its first value: what a killed creator leaves is finished by its own kind only.

import type { ExecutionContext } from 'ava'

import { IpcError, Limit, Semaphore } from '../../index.js'
import { child } from '../shared/child.ts'
import { exists, keyOf, removeNamed, uniqueName } from '../shared/names.ts'
import { linux, requires } from '../shared/requires.ts'
import { ctypes, makeSet, valuesOf } from '../shared/sets.ts'
import { injected, privateIpc } from '../shared/surroundings.ts'
import { ownLimit } from './helpers/own.ts'
import { remote } from './helpers/remote.ts'
import { remote as remoteSemaphore } from '../semaphore/helpers/remote.ts'

/** A set whose creator was killed between semget and semop. */
async function leftByDeadCreator(t: ExecutionContext, kind: 'limit' | 'semaphore'): Promise<string> {
  const name = uniqueName(t)
  const within = [injected('semop:signal=SIGKILL')]
  const creator =
    kind === 'limit'
      ? // Without an engine, it would first ask the kernel by a semop of its own.
        remote(t, 'create', name, { permits: 3, engine: 'sysv' }, { within })
      : remoteSemaphore(t, 'create', name, { initial: 3 }, { within })
  t.is((await creator.child.exit).signal, 'SIGKILL')
  t.true(exists('sem', keyOf(name)))
  t.true(valuesOf(keyOf(name)).every(value => value === 0))
  return name
}

const WRONG_KIND = { instanceOf: IpcError, code: 'ERR_WRONG_KIND' }

requires(
  linux,
  ctypes,
  injected(),
)('a semaphore does not take over a limit whose creator was killed', async t => {
  const name = await leftByDeadCreator(t, 'limit')
  for (const use of [
    () => Semaphore.open(name),
    () => Semaphore.create(name, { initial: 1 }),
    () => Semaphore.openOrCreate(name, { initial: 1 }),
    () => Semaphore.unlink(name),
    () => Semaphore.open(keyOf(name)),
    () => Semaphore.create(keyOf(name), { initial: 1 }),
    () => Semaphore.openOrCreate(keyOf(name), { initial: 1 }),
    () => Semaphore.unlink(keyOf(name)),
  ]) {
    t.throws(use, WRONG_KIND, String(use))
  }
  t.throws(() => Limit.open(name), { code: 'ERR_NOT_INITIALISED', message: /the limit/ })
  t.throws(() => Limit.create(name, { permits: 1 }), { code: 'EEXIST' })
  using finished = Limit.openOrCreate(name, { permits: 5 })
  t.like(finished, { created: true, permits: 5 })
  t.like(finished.info(), { free: 5, verified: true })
})

requires(
  linux,
  ctypes,
  injected(),
)('a limit does not take over a semaphore whose creator was killed', async t => {
  const name = await leftByDeadCreator(t, 'semaphore')
  for (const use of [
    () => Limit.open(name),
    () => Limit.create(name, { permits: 1 }),
    () => Limit.openOrCreate(name, { permits: 1 }),
    () => Limit.unlink(name),
    () => Limit.openOrCreate(keyOf(name), { permits: 1 }),
  ]) {
    t.throws(use, WRONG_KIND, String(use))
  }
  using finished = Semaphore.openOrCreate(name, { initial: 5 })
  t.true(finished.created)
  t.like(finished.info(), { value: 5, verified: true })
})

requires(
  linux,
  ctypes,
  injected(),
)('unlink removes an unfinished set whose killed creator was of the same kind', async t => {
  const name = await leftByDeadCreator(t, 'limit')
  t.true(Limit.unlink(name))
  t.false(exists('sem', keyOf(name)))
})

requires(linux)('exactly one of many processes that open or make a limit makes it', async t => {
  const prefix = uniqueName(t)
  const rounds = 60
  for (let round = 0; round < rounds; round++) t.teardown(() => removeNamed(`${prefix}-${round}`))
  const rivals = Array.from({ length: 6 }, () => child(t, 'limit/race.ts', { args: [prefix, rounds] }))
  for (const rival of rivals) t.is(await rival.next(), 'ready')
  const start = Date.now() + 50
  for (const rival of rivals) rival.send(start)
  const made = (await Promise.all(rivals.map(rival => rival.next()))).flat() as number[]
  t.deepEqual(
    made.sort((a, b) => a - b),
    Array.from({ length: rounds }, (_, round) => round),
  )
  for (const round of made) {
    using limit = Limit.open(`${prefix}-${round}`)
    t.like(limit.info(), { permits: 3, free: 3, holders: [] })
  }
})

// ---- sets without a record

requires(linux, ctypes)(
  'a set of another program opens as a limit and as a semaphore, without a record',
  async t => {
    for (const size of [1, 2, 40]) {
      const name = uniqueName(t)
      makeSet(keyOf(name), size, { operations: [[0, 2]] })
      using limit = Limit.openOrCreate(name, { permits: 9 })
      t.like(limit, { created: false, permits: undefined })
      const permit = limit.tryAcquire()
      t.like(limit.info(), {
        free: 1,
        permits: undefined,
        holders: undefined,
        unnamed: undefined,
        verified: false,
      })
      const refusal = await t.throwsAsync(limit.resize(1), {
        instanceOf: IpcError,
        code: 'ERR_NOT_SUPPORTED',
      })
      t.truthy((refusal as IpcError).hint)
      using semaphore = Semaphore.open(name)
      t.is(semaphore.value, 1)
      permit?.release()
      t.is(semaphore.value, 2)
      t.is(limit.tryAcquire()?.release(), undefined)
      const timedOut = await t.throwsAsync(
        Limit.open(name)
          .acquire({ timeout: 0 })
          .then(async first => {
            await limit.acquire()
            await limit.acquire({ timeout: 0 }).finally(() => first.release())
          }),
        { code: 'ETIMEDOUT' },
      )
      t.is((timedOut as IpcError).holders, undefined)
    }
  },
)

for (const [limitName, sem] of [
  ['SEMMSL', [150, 32_000, 500, 128]],
  ['SEMOPM', [250, 32_000, 3, 128]],
] as const) {
  requires(privateIpc())(
    `where ${limitName} is too small, the limit is a set of one semaphore, and a warning says so`,
    async t => {
      const name = uniqueName(t)
      const within = [privateIpc({ sem })]
      const other = remote(t, 'create', name, { permits: 2 }, { within })
      t.like(await other.opened, { created: true, verified: false })
      t.is(await other.call('permits'), 'none')
      t.is(await other.call('acquire'), 1)
      t.is(await other.call('acquireSync'), 2)
      t.is(await other.call('tryAcquire'), false)
      t.like(await other.call('resize', 3), { code: 'ERR_NOT_SUPPORTED' })
      t.is(await other.call('release'), 'done')
      t.like(await other.call('info'), { free: 1, verified: false })
      t.deepEqual(await other.call('warnings'), ['OS_IPC_UNVERIFIED'])
    },
  )
}

requires(linux, injected())(
  'openOrCreate opens a limit that is removed at any of its calls, or makes it again',
  async t => {
    const limit = ownLimit(t, 3)
    // The fifth call is that of info().
    for (const when of [1, 2, 3, 4]) {
      const within = [injected(`semctl:error=EIDRM:when=${when}`)]
      const other = remote(t, 'openOrCreate', limit.name, { permits: 3 }, { within })
      t.like(await other.opened, { created: false, name: limit.name }, `at call ${when}`)
    }
  },
)
